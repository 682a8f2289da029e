// Package transcript runs the protocol transcripts of test/wire against the real
// binary, each over every link that it names. Their format is in test/wire/README.md.
//
//	go test ./test/transcript                 run all
//	go test ./test/transcript -run 'Transcripts/dedupe'
//	go test ./test/transcript -update         write what the server answers into the files
//
// Mutants that were tried, and what catches them: no silence timer (text-no-newline,
// text-glued); new members read what was before them (group); a cursor that is not
// checked for its user (sync).
//
// Read the diff after an update: a transcript that changed is a protocol that changed.
package transcript
