"""Random cases of operators, one module per family, and what runs and compares them. See operators_test.py."""
