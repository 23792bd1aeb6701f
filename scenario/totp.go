package scenario

import (
	"encoding/base32"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"strconv"
	"strings"
	"time"

	"sumun.dev/engine/totp"
)

// totp SEED [STEPS…]
//
// totp prints the code that a virtual MFA device with this seed shows, or showed
// or will show so many steps of 30 seconds from now; with several STEPS a JSON list
// of codes, so that they are of one moment. SEED may be a file that
// `aws iam create-virtual-mfa-device` has written: file://seed.
func (s *step) totp(args []string) error {
	if len(args) < 1 || len(args) > 4 {
		return misused("usage: totp SEED [STEPS…], where SEED is a device's Base32StringSeed, or file:// and a file that holds it")
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
	now := totp.Step(time.Now())
	if len(args) == 1 {
		fmt.Fprintln(s.out, totp.Code(seed, now))
		return nil
	}
	var codes []string
	for _, text := range args[1:] {
		steps, err := strconv.ParseInt(text, 10, 16)
		if err != nil {
			return misused("totp: %q is no number of steps", text)
		}
		codes = append(codes, totp.Code(seed, now+steps))
	}
	if len(codes) == 1 {
		fmt.Fprintln(s.out, codes[0])
		return nil
	}
	return json.NewEncoder(s.out).Encode(codes)
}
