"""Measurements: metrics of pictures, intervals over runs, time and memory."""
