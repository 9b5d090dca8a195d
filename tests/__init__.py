"""What the package promises, tested. What tests share is in modules without `test_` in their name."""
