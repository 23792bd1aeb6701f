package kms

import (
	"slices"

	"sumun.dev/aws"
)

// maxContext bounds an encryption context, keys and values together, in bytes.
// KMS Developer Guide, "Encryption context".
const maxContext = 8 << 10

// checkContext refuses contexts that are too large.
func checkContext(context map[string]string) error {
	size := 0
	for key, value := range context {
		if key == "" {
			return aws.ValidationException.New("EncryptionContext keys cannot be empty.")
		}
		size += len(key) + len(value)
	}
	if size > maxContext {
		return aws.ValidationException.New("EncryptionContext is too large: at most %d bytes are allowed.", maxContext)
	}
	return nil
}

// addContext puts the condition values of an encryption context into values.
// KMS Developer Guide, "AWS KMS condition keys", kms:EncryptionContext:context-key.
func addContext(values map[string][]string, context map[string]string) {
	if len(context) == 0 {
		return
	}
	texts := make([]string, 0, 2*len(context)) // the keys, then a value each
	for key := range context {
		texts = append(texts, key)
	}
	slices.Sort(texts)
	values["kms:EncryptionContextKeys"] = slices.Clip(texts)
	for _, key := range texts {
		texts = append(texts, context[key])
		values["kms:EncryptionContext:"+key] = slices.Clip(texts[len(texts)-1:])
	}
}
