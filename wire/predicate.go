package wire

import (
	"fmt"
	"strings"
	"unicode/utf8"
)

// A predicate checks what a model's pattern says and Go's regular expressions
// cannot: looking ahead or behind, references back, counts above a thousand.
// The reasons stand beside the same names in tool/awsgen/patch.json.
type predicate struct {
	name  string
	model string // the pattern as in the model
	match func(string) bool
}

func predicateOf(name string) (model string, match func(string) bool, err error) {
	for i := range predicates {
		if p := &predicates[i]; p.name == name {
			return p.model, p.match, nil
		}
	}
	return "@" + name, nil, fmt.Errorf("predicate %q is unknown", name)
}

// whole reports whether the pattern matches all of s.
func whole(pattern, s string) bool { return expression(pattern).Match(s) }

// starts reports whether the pattern matches a beginning of s, as a look-ahead does.
func starts(pattern, s string) bool { return expression(`(?:` + pattern + `)[\s\S]*`).Match(s) }

// A label of a host name: 1 to 63 letters, digits and hyphens, none at its ends.
const label = `[A-Za-z0-9](?:[A-Za-z0-9-]{0,61}[A-Za-z0-9])?`

// A label of at least two characters.
const label2 = `[A-Za-z0-9][A-Za-z0-9-]{0,61}[A-Za-z0-9]`

var predicates = [...]predicate{
	{"functionUrlQualifier", `((?!^\d+$)^[0-9a-zA-Z-_]+$)`, func(s string) bool {
		return whole(`[0-9a-zA-Z-_]+`, s) && !whole(`\d+`, s)
	}},
	{"lambdaAlias", `(?!^[0-9]+$)([a-zA-Z0-9-_]+)`, func(s string) bool {
		return whole(`[a-zA-Z0-9-_]+`, s) && !whole(`[0-9]+`, s)
	}},
	{"resolverName", `(?!^[0-9]+$)([a-zA-Z0-9\-_' ']+)`, func(s string) bool {
		return whole(`[a-zA-Z0-9\-_' ]+`, s) && !whole(`[0-9]+`, s)
	}},
	{"notOnlyDigits", `^(?=.*[a-zA-Z_\-\.])[a-zA-Z0-9_\-\.]+$`, func(s string) bool {
		return whole(`[a-zA-Z0-9_\-.]+`, s) && !whole(`[0-9]+`, s)
	}},
	{"tagKey", `(?!aws:)[a-zA-Z+-=._:/]+`, func(s string) bool { return notReserved(`[a-zA-Z+-=._:/]+`, s) }},
	{"tagKeyAnchored", `^(?!aws:)[a-zA-Z+-=._:/]+$`, func(s string) bool { return notReserved(`[a-zA-Z+-=._:/]+`, s) }},
	{"tagKeyUnicode", `^(?!aws:)[\p{L}\p{Z}\p{N}_.:\/=+\-@%]*$`, func(s string) bool { return notReserved(`[\p{L}\p{Z}\p{N}_.:/=+\-@%]*`, s) }},
	{"notBlank", `^(?!\s*$).+`, func(s string) bool { return whole(`.+`, s) && !whole(`\s*`, s) }},
	{"pathParameter", `(?!\s*$).+|(\$(\.[\w/_-]+(\[(\d+|\*)\])*)*)`, func(s string) bool {
		return whole(`.+`, s) && !whole(`\s*`, s) // a path is not blank either
	}},
	{"domainName", `(\*\.)?(((?!-)[A-Za-z0-9-]{0,62}[A-Za-z0-9])\.)+((?!-)[A-Za-z0-9-]{1,62}[A-Za-z0-9])`, func(s string) bool {
		return whole(`(?:\*\.)?(?:`+label+`\.)+`+label2, s)
	}},
	{"domainNameFqdn", `^(((?!-)[A-Za-z0-9-]{0,62}[A-Za-z0-9])\.)+((?!-)[A-Za-z0-9-]{1,62}[A-Za-z0-9])$`, func(s string) bool {
		return whole(`(?:`+label+`\.)+`+label2, s)
	}},
	{"emailAddress", `^.+@(?:(?:(?!-)[A-Za-z0-9-]{1,62})?[A-Za-z0-9]{1}\.)+[A-Za-z]{2,63}$`, func(s string) bool {
		return whole(`.+@(?:`+label+`\.)+[A-Za-z]{2,63}`, s)
	}},
	{"jdbcURL", `jdbc:(redshift|postgresql)://((?!-)[A-Za-z0-9-]{1,63}(?<!-)\.)+(redshift(-serverless)?)\.([a-zA-Z0-9\.\-]+):\d{1,5}/[a-zA-Z0-9_$-]+`, func(s string) bool {
		return whole(`jdbc:(?:redshift|postgresql)://(?:`+label+`\.)+redshift(?:-serverless)?\.[a-zA-Z0-9.\-]+:\d{1,5}/[a-zA-Z0-9_$-]+`, s)
	}},
	{"collectionName", `(^(?!(system\x2e)))(^[_a-zA-Z0-9])([^$]*)`, func(s string) bool {
		return whole(`[_a-zA-Z0-9][^$]*`, s) && !strings.HasPrefix(s, "system.")
	}},
	{"s3Bucket", `[0-9A-Za-z\.\-_]*(?<!\.)`, func(s string) bool {
		return whole(`[0-9A-Za-z.\-_]*`, s) && !strings.HasSuffix(s, ".")
	}},
	{"logBucket", `^([a-z]|(\d(?!\d{0,2}\.\d{1,3}\.\d{1,3}\.\d{1,3})))([a-z\d]|(\.(?!(\.|-)))|(-(?!\.))){1,61}[a-z\d]$`, func(s string) bool {
		return whole(`[a-z\d][a-z\d.-]{1,61}[a-z\d]`, s) && !starts(`\d{1,3}(?:\.\d{1,3}){3}`, s) &&
			!strings.Contains(s, "..") && !strings.Contains(s, ".-") && !strings.Contains(s, "-.")
	}},
	{"accountAlias", `^[a-z0-9]([a-z0-9]|-(?!-)){1,61}[a-z0-9]$`, func(s string) bool {
		return whole(`[a-z0-9][a-z0-9-]{1,61}[a-z0-9]`, s) && !strings.Contains(s, "--")
	}},
	{"parameterGroupName", `[A-Za-z](?!.*--)[0-9A-Za-z-]*[^-]|^default(?!.*--)(?!.*\.\.)[0-9A-Za-z-.]*[^-]`, func(s string) bool {
		if strings.Contains(s, "--") {
			return false
		}
		return whole(`[A-Za-z][0-9A-Za-z-]*[^-]`, s) || whole(`default[0-9A-Za-z-.]*[^-]`, s) && !strings.Contains(s, "..")
	}},
	{"catalogName", `^(?!(.*[.\/\\]|aws:)).*$`, func(s string) bool {
		return whole(`[^./\\]*`, s) && whole(`.*`, s) && !strings.HasPrefix(s, "aws:")
	}},
	{"licenseFilepath", `^(?!.*\/\.{2,})(?!.*\.\.)[a-zA-Z0-9_.-]+(?:\/[a-zA-Z0-9_.-]+)*$`, func(s string) bool {
		return whole(`[a-zA-Z0-9_.-]+(?:/[a-zA-Z0-9_.-]+)*`, s) && !strings.Contains(s, "..")
	}},
	{"indexName", `^(?!\.\.?$)[^_ ,:"+/*\\|?#><A-Z-][^ ,:"+/*\\|?#><A-Z]*$`, func(s string) bool {
		return whole(`[^_ ,:"+/*\\|?#><A-Z-][^ ,:"+/*\\|?#><A-Z]*`, s) && !whole(`\.\.?(?:\r\n|[\n\r\x{85}\x{2028}\x{2029}])?`, s)
	}},
	{"notebookName", `(?!.*[/:\\])[\u0020-\uD7FF\uE000-\uFFFD\uD800\uDC00-\uDBFF\uDFFF\t]+`, func(s string) bool {
		return whole(`[\u0020-\uD7FF\uE000-\uFFFD\uD800\uDC00-\uDBFF\uDFFF\t]+`, s) && !starts(`.*[/:\\]`, s)
	}},
	{"managedServiceData", `^((?!\\[nr]).)+`, func(s string) bool {
		return whole(`.+`, s) && !strings.Contains(s, `\n`) && !strings.Contains(s, `\r`)
	}},
	{"eventSource", `.*(?=[/\.\-_A-Za-z0-9]+)((?!aws\.).*)|(\$(\.[\w/_-]+(\[(\d+|\*)\])*)*).*`, func(s string) bool {
		// Wherever "aws." starts, the look-aheads are content one character further on.
		return whole(`.*[/.\-_A-Za-z0-9].*|\$.*`, s)
	}},
	{"schedulerSource", `^(?=[/\.\-_A-Za-z0-9]+)((?!aws\.).*)|(\$(\.[\w_-]+(\[(\d+|\*)\])*)*)$`, func(s string) bool {
		return whole(`[/.\-_A-Za-z0-9].*`, s) && !strings.HasPrefix(s, "aws.") || whole(`\$(\.[\w_-]+(\[(\d+|\*)\])*)*`, s)
	}},
	{"jwksURL", `^$|^https://(?!(?:10|127|169\.254|192\.168|172\.(?:1[6-9]|2[0-9]|3[01]))\.)[a-zA-Z0-9](?:[a-zA-Z0-9-]{0,61}[a-zA-Z0-9])?(\.[a-zA-Z0-9](?:[a-zA-Z0-9-]{0,61}[a-zA-Z0-9])?)*\.[a-zA-Z]{2,}(?::[0-9]{1,5})?(?:/[a-zA-Z0-9\-._~%!$&'()*+,;=:']*)?$`, func(s string) bool {
		return whole(`|https://`+label+`(\.`+label+`)*\.[a-zA-Z]{2,}(?::[0-9]{1,5})?(?:/[a-zA-Z0-9\-._~%!$&'()*+,;=:]*)?`, s) &&
			!starts(`https://(?:10|127|169\.254|192\.168|172\.(?:1[6-9]|2[0-9]|3[01]))\.`, s)
	}},
	{"secretARN", `^(?=.{20,2048}$)arn:aws[a-z-]*:secretsmanager:[a-z0-9-]+:\d{12}:secret:[a-zA-Z0-9/_+=.@-]+`, func(s string) bool {
		return 20 <= len(s) && len(s) <= 2048 && whole(`arn:aws[a-z-]*:secretsmanager:[a-z0-9-]+:\d{12}:secret:[a-zA-Z0-9/_+=.@-]+`, s)
	}},
	{"duration", `(-?)P(?=\d|T\d)(?:(\d+)Y)?(?:(\d+)M)?(?:(\d+)([DW]))?(?:T(?:(\d+)H)?(?:(\d+)M)?(?:(\d+(?:\.\d+)?)S)?)?`, func(s string) bool {
		return whole(`-?P(?:\d+Y)?(?:\d+M)?(?:\d+[DW])?(?:T(?:\d+H)?(?:\d+M)?(?:\d+(?:\.\d+)?S)?)?`, s) && starts(`-?PT?\d`, s)
	}},
	{"dateTime", `^([\-]?\d{4}(?!\d{2}\b))((-?)((0[1-9]|1[0-2])(\3([12]\d|0[1-9]|3[01]))?|W([0-4]\d|5[0-2])(-?[1-7])?|(00[1-9]|0[1-9]\d|[12]\d{2}|3([0-5]\d|6[1-6])))([T\s]((([01]\d|2[0-3])((:?)[0-5]\d)?|24\:?00)([\.,]\d(?!:))?)?(\17[0-5]\d([\.,]\d)?)?([zZ]|([\-])([01]\d|2[0-3]):?([0-5]\d)?)?)?)?$`, isDateTime},
	{"upTo100000", `^.{1,100000}$`, func(s string) bool { return whole(`.+`, s) && utf8.RuneCountInString(s) <= 100_000 }},
	{"targetLocationsURL", `^https:\/\/[-a-zA-Z0-9@:%._\+~#=]{1,253}\.s3(\.[a-z\d-]{9,16})?\.amazonaws\.com\/.{1,2000}`, func(s string) bool {
		return whole(`https://[-a-zA-Z0-9@:%._+~#=]{1,253}\.s3(\.[a-z\d-]{9,16})?\.amazonaws\.com/.{1,1000}.{0,1000}`, s)
	}},
	{"instanceURL", `https://[-a-zA-Z0-9()@:%_+.~#?&//=]{1,1024}`, func(s string) bool {
		return len(s) <= len("https://")+1024 && whole(`https://[-a-zA-Z0-9()@:%_+.~#?&/=]+`, s)
	}},
}

// notReserved matches pattern unless the value begins with aws:, which AWS keeps for itself.
func notReserved(pattern, s string) bool { return whole(pattern, s) && !strings.HasPrefix(s, "aws:") }

// isDateTime writes out the references back: a date has hyphens throughout or
// nowhere (\3), a time colons throughout or nowhere (\17).
func isDateTime(s string) bool {
	const (
		months   = `(?:0[1-9]|1[0-2])`
		days     = `(?:[12]\d|0[1-9]|3[01])`
		others   = `W(?:[0-4]\d|5[0-2])(?:-?[1-7])?|00[1-9]|0[1-9]\d|[12]\d{2}|3(?:[0-5]\d|6[1-6])`
		date     = `(?:-(?:` + months + `(?:-` + days + `)?|` + others + `)|(?:` + months + days + `?|` + others + `))`
		hours    = `(?:[01]\d|2[0-3])`
		sixtieth = `[0-5]\d`
		part     = `(?:[.,]\d)?`
		clock    = `(?:(?:` + hours + `|24:?00)` + part +
			`|` + hours + `:` + sixtieth + `(?:` + part + `|:` + sixtieth + part + `)` +
			`|` + hours + sixtieth + part + `(?:` + sixtieth + part + `)?)?`
		zone = `(?:[zZ]|-` + hours + `:?(?:` + sixtieth + `)?)?`
	)
	return whole(`-?\d{4}(?:`+date+`(?:[T\s]`+clock+zone+`)?)?`, s) && !starts(`-?\d{6}\b`, s)
}
