package guardduty

import (
	"encoding/json"
	"fmt"
	"testing"
	"time"

	"sumun.dev/aws"
)

// What a log that was sent in says of the year 9999 is not judged, and makes nothing
// older: what comes after it is.
func TestLogsOfImpossibleTimesAreSkipped(t *testing.T) {
	inWorld(t, func(w *world) {
		d := w.detector()
		send := func(id, at string) {
			text := fmt.Sprintf(`{"eventVersion":"1.08","eventTime":%q,"eventSource":"signin.amazonaws.com","eventName":"ConsoleLogin","awsRegion":"us-east-1",`+
				`"userIdentity":{"type":"Root","accountId":%q,"arn":"arn:aws:iam::%[2]s:root"},"sourceIPAddress":"198.51.100.7","eventID":%[3]q,`+
				`"responseElements":{"ConsoleLogin":"Success"},"additionalEventData":{"MFAUsed":"No"}}`, at, account, id)
			data, err := json.Marshal(text)
			if err != nil {
				t.Fatal(err)
			}
			w.consumeAs(2, account, "us-east-1", aws.Event{ID: id, Time: time.Now(), Data: data})
		}
		now := time.Now().UTC()
		for i, at := range []string{"9999-12-31T23:59:59Z", "1999-01-01T00:00:00Z", now.AddDate(0, 0, 2).Format(time.RFC3339)} {
			send(fmt.Sprint("strange", i), at)
		}
		if n := w.service.Malformed(); n != 3 || len(w.findings(d)) != 0 {
			t.Errorf("%d counted, %d findings", n, len(w.findings(d)))
		}
		if send("plain", now.Format(time.RFC3339)); w.service.Malformed() != 3 || len(w.findings(d)) == 0 {
			t.Errorf("%d counted, %d findings", w.service.Malformed(), len(w.findings(d)))
		}
	})
}
