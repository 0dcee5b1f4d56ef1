"""Displays that answer: anywidgets of ours, their JavaScript and CSS beside them, nothing fetched from anywhere."""
