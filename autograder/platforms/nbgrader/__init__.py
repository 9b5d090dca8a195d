"""The assignment in nbgrader: a course folder, grades that come from the sandbox, figures, and plugins.

What is believed of a submission is the text of its cells and of its module, and that only as something to run in a
sandbox: no metadata, no output and no score that a student's file or kernel holds reaches the gradebook. Figures that
were handed in are shown to people, drawn anew from pixels that the sandbox read.
"""
