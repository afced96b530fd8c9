"""What the tests that start programs share: targets, seep, Memcheck, and named cases."""
