-- Why: errands are listed by how they stand and by kind, too, however many there were.

CREATE INDEX errands_by_state ON errands (state, id);
CREATE INDEX errands_by_kind ON errands (kind, id);
