"""What class attendance in Veracross tells: sessions, figures for each student and window, alerts, pictures."""
