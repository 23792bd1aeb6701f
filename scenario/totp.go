package scenario

import (
	"encoding/base32"
	"encoding/base64"
	"fmt"
	"strconv"
	"strings"
	"time"

	"sumun.dev/engine/totp"
)

// totp SEED [STEPS]
//
// totp prints the code that a virtual MFA device with this seed shows, or showed
// or will show so many steps of 30 seconds from now. SEED may be a file that
// `aws iam create-virtual-mfa-device` has written: file://seed.
func (s *step) totp(args []string) error {
	if len(args) < 1 || len(args) > 2 {
		return misused("usage: totp SEED [STEPS], where SEED is a device's Base32StringSeed, or file:// and a file that holds it")
	}
	text := args[0]
	if name, ok := strings.CutPrefix(text, "file://"); ok {
		data, err := s.ReadFile(name)
		if err != nil {
			return misused("totp: %v", err)
		}
		text = string(data)
	}
	plain := base32.StdEncoding.WithPadding(base32.NoPadding)
	seed, err := plain.DecodeString(text)
	if inner, wrong := base64.StdEncoding.DecodeString(text); err != nil && wrong == nil {
		seed, err = plain.DecodeString(string(inner)) // as answers have what is a blob in the model
	}
	if err != nil {
		return misused("totp: %q is no seed", args[0])
	}
	at := totp.Step(time.Now())
	if len(args) == 2 {
		steps, err := strconv.ParseInt(args[1], 10, 16)
		if err != nil {
			return misused("totp: %q is no number of steps", args[1])
		}
		at += steps
	}
	fmt.Fprintln(s.out, totp.Code(seed, at))
	return nil
}
