"""Emergency stops: one person stops a category, a client or everything at once; lifting it is a change of two."""
