package sqlite

import (
	"context"
	"database/sql"
	"fmt"

	"github.com/linnet-im/linnet/internal/chat"
)

// Finding is what one check of a store has found.
type Finding struct {
	Check string   // its name
	Saw   string   // what it looked at
	Wrong []string // what is not as it should be, at most maxWrong of them; none: all is well
}

// maxWrong bounds what a check tells.
const maxWrong = 20

// check is one look at the store: a query whose every row is something wrong, in words.
type check struct {
	name, saw, query string
}

// checks are the promises of the log as queries. A row of a query is one fault.
func checks() []check {
	return []check{
		{
			"numbers", `SELECT count(*) || ' events in ' || (SELECT count(*) FROM conversation) || ' conversations' FROM event`, `
			SELECT c.id || ': its head is ' || c.seq || ', but it has ' || count(e.id) || ' events, ' ||
				coalesce(min(e.seq), 0) || ' to ' || coalesce(max(e.seq), 0)
			FROM conversation c LEFT JOIN event e ON e.conv = c.num GROUP BY c.num
			HAVING count(e.id) <> c.seq OR coalesce(max(e.seq), 0) <> c.seq OR c.seq > 0 AND min(e.seq) <> 1
			UNION ALL
			SELECT 'event ' || e.seq || ' belongs to no conversation' FROM event e
			LEFT JOIN conversation c ON c.num = e.conv WHERE c.num IS NULL`,
		},
		{
			"events", `SELECT count(*) || ' bodies' FROM event`, `
			SELECT c.id || ' ' || e.seq || ': its body is not that of this event'
			FROM event e JOIN conversation c ON c.num = e.conv
			WHERE NOT json_valid(e.body) OR json_extract(e.body, '$.seq') IS NOT e.seq OR json_extract(e.body, '$.conversation') IS NOT c.id`,
		},
		{
			"counts", `SELECT sum(message) || ' messages' FROM event`, `
			SELECT c.id || ' ' || s.seq || ': counted ' || s.count || ' messages, there are ' || s.n
			FROM (SELECT conv, seq, count, sum(message) OVER (PARTITION BY conv ORDER BY seq) AS n FROM event) s
			JOIN conversation c ON c.num = s.conv WHERE s.n <> s.count
			UNION ALL
			SELECT c.id || ': its head counts ' || c.count || ' messages, there are ' || coalesce(sum(e.message), 0)
			FROM conversation c LEFT JOIN event e ON e.conv = c.num GROUP BY c.num HAVING coalesce(sum(e.message), 0) <> c.count`,
		},
		{
			"members", `SELECT count(*) || ' members' FROM member`, `
			SELECT c.id || ': it has ' || (SELECT count(*) FROM member m WHERE m.conv = c.num AND m.joined = 1) || ' members, its head says ' || c.members
			FROM conversation c WHERE c.kind <> 'room' AND c.members <> (SELECT count(*) FROM member m WHERE m.conv = c.num AND m.joined = 1)
			UNION ALL
			SELECT c.id || ' ' || m.user || ': has read ' || m.read_seq || ' of ' || c.seq
			FROM member m JOIN conversation c ON c.num = m.conv WHERE m.read_seq > c.seq OR m.read_seq < 0
			UNION ALL
			SELECT c.id || ' ' || m.user || ': sent ' || m.sent || ' messages, there are ' ||
				(SELECT count(*) FROM event e WHERE e.conv = m.conv AND e.message = 1 AND e.sender = m.user)
			FROM member m JOIN conversation c ON c.num = m.conv WHERE c.kind <> 'room' AND m.sent <>
				(SELECT count(*) FROM event e WHERE e.conv = m.conv AND e.message = 1 AND e.sender = m.user)
			UNION ALL
			SELECT m.user || ': a member of no conversation' FROM member m LEFT JOIN conversation c ON c.num = m.conv WHERE c.num IS NULL`,
		},
		{
			"calls", `SELECT count(*) || ' remembered calls' FROM call`, `
			SELECT k.user || ' ' || lower(hex(k.client_id)) || ': was answered ' || k.conv || ' ' || k.seq || ', which is not there'
			FROM call k LEFT JOIN conversation c ON c.id = k.conv LEFT JOIN event e ON e.conv = c.num AND e.seq = k.seq
			WHERE k.seq > 0 AND e.id IS NULL`,
		},
		{
			"lineage", `SELECT count(*) || ' starts, position ' || coalesce(max(upto), 0) FROM start`, `
			SELECT 'start ' || s.n || ' goes from ' || s.pos || ' to ' || s.upto || ', the one before ended at ' || coalesce(p.upto, 0)
			FROM start s LEFT JOIN start p ON p.n = s.n - 1 WHERE s.upto < s.pos OR s.pos <> coalesce(p.upto, 0)
			UNION ALL
			SELECT c.id || ': its position ' || c.pos || ' is beyond the last commit'
			FROM conversation c WHERE c.pos > (SELECT coalesce(max(upto), 0) FROM start)
			UNION ALL
			SELECT c.id || ' ' || e.seq || ': its position ' || e.pos || ' is beyond the last commit'
			FROM event e JOIN conversation c ON c.num = e.conv WHERE e.pos > (SELECT coalesce(max(upto), 0) FROM start)`,
		},
		{
			"accounts", `SELECT count(*) || ' accounts' FROM account`, `SELECT user || ': its account is not readable' FROM account WHERE NOT json_valid(body)`,
		},
	}
}

// Check looks at a store as it is at one moment, also while a server has it open, and
// answers what each check has found. An error means that it could not look.
func Check(ctx context.Context, path string) ([]Finding, error) {
	db, err := openReader(path)
	if err != nil {
		return nil, err
	}
	defer db.Close()
	tx, err := db.BeginTx(ctx, &sql.TxOptions{ReadOnly: true})
	if err != nil {
		return nil, err
	}
	defer func() { _ = tx.Rollback() }() // it wrote nothing
	file, version, err := checkFile(ctx, tx)
	if err != nil {
		return nil, err
	}
	if newest := schemaVersion(); version < newest && len(file.Wrong) == 0 {
		// What is looked at below is not there yet.
		file.Wrong = []string{fmt.Sprintf("its schema is %d; this program's is %d: start the server once, or take the program it was made by", version, newest)}
	}
	findings := []Finding{file}
	if len(file.Wrong) > 0 {
		return findings, nil // what is read from a damaged file says nothing
	}
	for _, c := range checks() {
		f := Finding{Check: c.name}
		if err := tx.QueryRowContext(ctx, `SELECT coalesce((`+c.saw+`), 'nothing')`).Scan(&f.Saw); err != nil {
			return nil, fmt.Errorf("%s: %w", c.name, err)
		}
		if f.Wrong, err = texts(ctx, tx, c.query); err != nil {
			return nil, fmt.Errorf("%s: %w", c.name, err)
		}
		findings = append(findings, f)
	}
	spans, err := checkSpans(ctx, tx)
	return append(findings, spans), err
}

// Whole says whether SQLite finds a store's file as it should be, and this program a schema
// that it knows: an older one is, since Open brings it up to date. It costs a read of the file.
func Whole(ctx context.Context, path string) error {
	db, err := openReader(path)
	if err != nil {
		return err
	}
	defer db.Close()
	tx, err := db.BeginTx(ctx, &sql.TxOptions{ReadOnly: true})
	if err != nil {
		return err
	}
	defer func() { _ = tx.Rollback() }() // it wrote nothing
	f, _, err := checkFile(ctx, tx)
	if err == nil && len(f.Wrong) > 0 {
		err = fmt.Errorf("%s is not whole: %s", path, f.Wrong[0])
	}
	return err
}

// checkFile has SQLite look at its own pages, and looks at the schema's version, which it
// answers.
func checkFile(ctx context.Context, tx *sql.Tx) (f Finding, version int, err error) {
	f.Check = "file"
	if err := tx.QueryRowContext(ctx, "PRAGMA user_version").Scan(&version); err != nil {
		return f, 0, err
	}
	f.Saw = fmt.Sprintf("schema %d", version)
	said, err := texts(ctx, tx, "PRAGMA integrity_check(20)")
	if err != nil {
		return f, 0, err
	}
	if len(said) != 1 || said[0] != "ok" {
		f.Wrong = said
	}
	switch newest := schemaVersion(); {
	case version == 0:
		f.Wrong = append(f.Wrong, "it is no server's database")
	case version > newest:
		f.Wrong = append(f.Wrong, fmt.Sprintf("its schema is %d; this program knows those up to %d: take the program it was made by", version, newest))
	}
	return f, version, nil
}

// checkSpans looks at when members were in their conversations.
func checkSpans(ctx context.Context, tx *sql.Tx) (Finding, error) {
	f := Finding{Check: "spans"}
	rows, err := tx.QueryContext(ctx, `SELECT c.id, c.seq, m.user, m.spans, m.joined FROM member m JOIN conversation c ON c.num = m.conv`)
	if err != nil {
		return f, err
	}
	defer rows.Close()
	n := 0
	for rows.Next() {
		var conversation, user, text string
		var head chat.Seq
		var isJoined bool
		if err := rows.Scan(&conversation, &head, &user, &text, &isJoined); err != nil {
			return f, err
		}
		n++
		if why := wrongSpans(text, head, isJoined); why != "" && len(f.Wrong) < maxWrong {
			f.Wrong = append(f.Wrong, fmt.Sprintf("%s %s: was in it %s, %s", conversation, user, text, why))
		}
	}
	f.Saw = fmt.Sprintf("%d memberships", n)
	return f, rows.Err()
}

// wrongSpans says what is wrong with a member's spans, "" for nothing.
func wrongSpans(text string, head chat.Seq, isJoined bool) string {
	spans, err := parseSpans(text)
	if err != nil {
		return "which is not readable"
	}
	last := chat.Seq(0)
	for i, s := range spans {
		open := s.To == 0
		switch {
		case s.From <= last, !open && s.To < s.From, open && i < len(spans)-1:
			return "which is out of order"
		case s.From > head+1, s.To > head:
			return fmt.Sprintf("which is beyond its head %d", head)
		}
		last = s.To
	}
	if open := len(spans) > 0 && spans[len(spans)-1].To == 0; open != isJoined {
		return "which is not what the row says of now"
	}
	return ""
}

// texts answers up to maxWrong rows of one text.
func texts(ctx context.Context, tx *sql.Tx, query string) ([]string, error) {
	rows, err := tx.QueryContext(ctx, query)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	var list []string
	for rows.Next() && len(list) < maxWrong {
		var text sql.NullString
		if err := rows.Scan(&text); err != nil {
			return nil, err
		}
		list = append(list, text.String)
	}
	return list, rows.Err()
}
