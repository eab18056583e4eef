"""What several analyses need.

`reach`    what is reached from where, and by which way
`modes`    the graph as a mode leaves it
`words`    numbers and lists, as findings say them
`repairs`  fixes built from the place of a number
"""
