// Command dgamodel makes the model and the dictionary of engine/dga.
//
//	dgamodel -benign FILE -common FILE -words FILE,FILE -out engine/dga/model.bin -dictionary engine/dga/dictionary.bin
//
// FILEs hold strings in quotes (JSON, JavaScript) or one a line. benign: domains of
// well-known services; of them three in ten are kept from the model for its test.
// common: words in the order of how common they are. words: further words; of
// other languages. The committed model is made from the domains of
// v2fly/domain-list-community and of the npm package top-sites 1.1.222, and from the
// packages popular-english-words 1.0.2, an-array-of-french-words 2.0.0 and
// an-array-of-spanish-words 2.0.0 (all MIT or ISC). What the model
// keeps of them is how often runs of letters are there. The names that algorithms
// made are made up by engine/dga/learn; none is of any malware.
package main

import (
	"flag"
	"log"
	"math/rand/v2"
	"os"
	"regexp"
	"slices"
	"strings"

	"sumun.dev/engine/dga/learn"
)

const (
	mostCommon = 60_000 // words for runs of letters
	mostWords  = 15_000 // words for whole words
	everyOther = 12     // of the words of other languages: they have all inflections
)

func main() {
	log.SetFlags(0)
	benign := flag.String("benign", "", "`FILE` of domains")
	common := flag.String("common", "", "`FILE` of words, the most common first")
	words := flag.String("words", "", "`FILES` of words, with commas")
	out := flag.String("out", "engine/dga/model.bin", "`FILE` to write")
	dictionary := flag.String("dictionary", "engine/dga/dictionary.bin", "`FILE` to write")
	flag.Parse()
	var labels []string
	for _, l := range learn.Labels(read(*benign)) {
		if !learn.Held(l) {
			labels = append(labels, l)
		}
	}
	known := read(*common)
	all := slices.Clone(known[:min(len(known), mostCommon)])
	for f := range strings.SplitSeq(*words, ",") {
		for i, w := range read(f) {
			if i%everyOther == 0 {
				all = append(all, plain.Replace(w))
			}
		}
	}
	all = append(all, learn.Spoken(6_000, rand.New(rand.NewPCG(2026, 8)))...)
	log.Printf("%d labels, %d words", len(labels), len(all))
	m := learn.Fit(labels, all, known[:min(len(known), mostWords)])
	if err := os.WriteFile(*out, m.Bytes(), 0o644); err != nil {
		log.Fatal(err)
	}
	if err := os.WriteFile(*dictionary, learn.FitDictionary(labels, known).Bytes(), 0o644); err != nil {
		log.Fatal(err)
	}
}

var (
	quoted = regexp.MustCompile(`["']([^"'\n]+)["']`)
	plain  = strings.NewReplacer("á", "a", "à", "a", "â", "a", "é", "e", "è", "e", "ê", "e", "ë", "e", "í", "i", "î", "i", "ï", "i", "ó", "o", "ô", "o", "ú", "u", "ù", "u", "û", "u", "ü", "u", "ñ", "n", "ç", "c", "œ", "oe")
)

func read(file string) []string {
	b, err := os.ReadFile(file)
	if err != nil {
		log.Fatal(err)
	}
	found := quoted.FindAllSubmatch(b, -1)
	if len(found) == 0 {
		return strings.Fields(string(b))
	}
	out := make([]string, len(found))
	for i, f := range found {
		out[i] = string(f[1])
	}
	return out
}
