//! GitLab REST client of Issue Mirror: one send(), paced, origin-guarded, typed errors.
