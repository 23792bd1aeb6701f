package plane

import (
	"testing"

	"sumun.dev/plane/config"
	"sumun.dev/service"
)

// Two consumers of one name would take each other's events, two jobs of one kind
// each other's work.
func TestConsumersAndJobsHaveNamesOfTheirOwn(t *testing.T) {
	p := begun(t, config.Memory)
	defer end(t, p)
	consumers := map[string]bool{}
	for _, s := range p.current.Load().services {
		if consuming, ok := s.serve.(service.Consuming); ok {
			for _, c := range consuming.Consumers() {
				if consumers[c.Name] {
					t.Errorf("two consumers are called %s", c.Name)
				}
				consumers[c.Name] = true
			}
		}
		if scheduling, ok := s.serve.(service.Scheduling); ok {
			for _, j := range scheduling.Jobs() {
				if p.current.Load().jobs[j.Kind].principal != s.principal {
					t.Errorf("jobs of the kind %s belong to two services", j.Kind)
				}
			}
		}
	}
}
