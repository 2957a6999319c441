"""All hot-path SQL: named, commented queries in sql/*.sql and thin typed functions over them."""
