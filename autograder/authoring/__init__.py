"""What an instructor builds from an assignment: the fill-in module, the students' kit, a new term."""
