//! Pure server-side terminal: feed, resize, snapshot, text, answers to queries.
