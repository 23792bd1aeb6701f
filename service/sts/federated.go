package sts

import (
	"regexp"
	"strings"
	"unicode/utf8"

	"sumun.dev/api/stsapi"
)

// What AssumeRole's model checks of its parameters has to be checked of what tokens
// and assertions carry.

// wordForm is that of session names and source identities.
var wordForm = regexp.MustCompile(`^[\w+=,.@-]{2,64}$`)

var tagForm = regexp.MustCompile(`^[\p{L}\p{Z}\p{N}_.:/=+\-@]*$`)

func federatedSourceID(id string) error {
	if id != "" && (!wordForm.MatchString(id) || strings.HasPrefix(strings.ToLower(id), "aws:")) {
		return stsapi.InvalidIdentityTokenException.New(`Source Identity must match [a-zA-Z_0-9+=,.@-]{2,64} and not begin with "aws:"`)
	}
	return nil
}

func checkFederatedTags(w *wish) error {
	for _, t := range w.tags {
		if !tagForm.MatchString(t.Key) || !tagForm.MatchString(t.Value) || t.Key == "" || utf8.RuneCountInString(t.Key) > 128 || utf8.RuneCountInString(t.Value) > 256 {
			return stsapi.InvalidIdentityTokenException.New("The session tag %.128q is not valid.", t.Key)
		}
	}
	if len(w.transitive) > maxTags {
		return stsapi.InvalidIdentityTokenException.New("A session can have at most %d transitive tag keys.", maxTags)
	}
	return w.checkTags()
}
