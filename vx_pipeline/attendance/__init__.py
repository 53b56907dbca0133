"""Attendance from Orah to Veracross: who was away, which meetings that covers, writing the marks."""
