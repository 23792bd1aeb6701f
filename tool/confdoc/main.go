// Command confdoc writes docs/configuration.md from the settings' own documentation.
package main

import (
	"bytes"
	"fmt"
	"os"

	"sumun.dev/plane/config"
)

func main() {
	var page bytes.Buffer
	err := config.WriteReference(&page)
	if err == nil {
		err = os.WriteFile("docs/configuration.md", page.Bytes(), 0o644)
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "confdoc:", err)
		os.Exit(1)
	}
}
