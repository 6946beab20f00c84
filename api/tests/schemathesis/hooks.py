"""What the description cannot tell: which parameters go together."""

import schemathesis

DEEPEST = 10_000


@schemathesis.hook
def filter_query(context, query):
    """A list is walked by number or by key, by number not too deep, and what is searched by key."""
    if not query or "page" not in query:
        return True
    if "after" in query or "search" in query:
        return False
    page, size = query["page"], query.get("per_page", 50)
    if isinstance(page, int) and isinstance(size, int):
        return (page - 1) * size <= DEEPEST
    return True
