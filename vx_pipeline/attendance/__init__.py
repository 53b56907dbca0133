"""Attendance from Orah to Veracross: who was away, which class meetings that covers, and writing the marks."""
