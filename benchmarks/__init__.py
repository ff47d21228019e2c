"""Measures the project against what one would use instead. Type: make bench"""
