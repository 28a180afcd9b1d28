"""Notebooks: their figures, what they leave behind, their execution, their pages, and the explorers."""
