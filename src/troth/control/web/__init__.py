"""The pages' shell: the look, who asks, one transaction a request, the first page, and what is shown when all fails."""
