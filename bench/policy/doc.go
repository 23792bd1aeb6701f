// Package policy measures the evaluator side by side with OPA and cedar-go. It
// is a module of its own, so that nothing of theirs is a dependency of the product.
package policy
