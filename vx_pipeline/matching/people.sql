-- matching.veracross_students, matching.orah_students: both sides, with names made comparable.
-- grain:  one row for each student of that system, whatever became of the student
-- key:    veracross_id; orah_id
-- source: roster.students; orah.students
-- fold() is matching.fold.fold. A record that one read of Orah did not bring is still somebody's.
CREATE OR REPLACE TABLE matching.veracross_students AS
SELECT
    student_id AS veracross_id,
    nullif(fold(first_name), '') AS first_name,
    nullif(fold(preferred_name), '') AS preferred_name,
    nullif(fold(last_name), '') AS last_name,
    email,
    grade,
    is_current
FROM roster.students;

CREATE OR REPLACE TABLE matching.orah_students AS
SELECT
    id AS orah_id,
    nullif(trim(sis_id), '') AS sis_id,
    nullif(fold(first_name), '') AS first_name,
    nullif(fold(alt_name), '') AS alt_name,
    nullif(fold(last_name), '') AS last_name,
    nullif(lower(trim(email)), '') AS email,
    year_level AS grade,
    deactivated
FROM orah.students
WHERE _missing_reads < 2;
