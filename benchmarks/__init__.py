"""Measures the project against what one would use instead. Run: make bench"""
