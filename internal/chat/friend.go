package chat

const friendKind ItemKind = "friend" // own, by the friend
