package chat

// Commit is one committed event on its way to those who may see it.
type Commit struct {
	Event        *Event
	Conversation Conversation // as of the event

	op *operation // whose answer goes out before the event; nil on other nodes
}

// Answer gives the caller whose call made the event its answer. It must be called once,
// before the event is delivered, on the node that committed it.
func (c *Commit) Answer() {
	if c.op != nil && c.op.event == c.Event {
		c.op.reply.Answer(c.op.place, c.op.err)
	}
}

// Flush lets the answer go, after the event was delivered.
func (c *Commit) Flush() {
	if c.op != nil && c.op.event == c.Event {
		c.op.reply.Flush()
	}
}

// Notice is what is told live but not logged.
type Notice struct {
	Conversation Conversation // whose members, or for a room whose live sessions, are told
	Method       string       // the notification's name
	Params       []byte       // its JSON
	Only         UserID       // told to this user alone; "" for everybody
	Except       UserID       // not told to this user; "" for nobody
	Unseen       []UserID     // nor to these
	Moved        []UserID     // nobody is told, but these came into a channel or left it, after the change MovedAfter
	MovedAfter   Seq
	Evict        *Eviction // only those are told, and are in the room no more; nil: nobody
}

// Eviction is who is taken out of a room.
type Eviction struct {
	Users []UserID // nil: everybody
}

// Bus carries commits and notices to every node. It is a hint: what it loses is found
// by comparing heads with the store. It must not reorder one conversation's commits.
//
// # How NATS will do it
//
// One core subject for each of 1,024 hashes of the conversation, published after the
// commit and read by every node; a node drops what it has (by seq) and fetches what it
// missed. No message lives only there.
type Bus interface {
	// Publish hands a batch on, in commit order. It does not block.
	Publish(batch []Commit)
	// Notify hands a notice on. It does not block; a notice may be lost.
	Notify(n Notice)
}
