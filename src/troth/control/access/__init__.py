"""People with access: who has it, how they got it, how it ends, and the reviews that ask whether they still need it."""
