"""Calendar: what people have promised to do again and again, when each falls due, and what shows that it was done."""
