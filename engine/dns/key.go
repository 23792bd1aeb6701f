package dns

// A Key is what makes two questions the same. Client subnets are not part of
// it, because they are not forwarded.
type Key struct {
	Name string // a Name
	Type uint16
	DO   bool // with DNSSEC records
	CD   bool // not validated
}
