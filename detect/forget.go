package detect

import "sumun.dev/aws"

// Forget drops what is remembered of an account, as when its work goes to another
// engine.
func (e *Engine) Forget(account aws.Account) { e.parts.Forget(account) }
