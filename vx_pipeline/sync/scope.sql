-- sync.scope: who is brought to Orah, and by which rule.
-- grain:  one row for each student
-- key:    veracross_id
-- source: roster.students, leavers, boarders
--
-- rule: leaver, future, boarding (the setting synced), grade (the setting grades); null for who is in scope.
CREATE OR REPLACE TABLE sync.scope AS
WITH judged AS (
    SELECT
        student.student_id,
        student.grade,
        student.entry_date,
        leaver.reason AS leave_reason,
        boarder.is_boarder,
        boarder.reason AS boarder_reason,
        CASE
            WHEN leaver.student_id IS NOT NULL THEN 'leaver'
            WHEN NOT student.is_current THEN 'future'
            WHEN $synced = 'boarding' AND NOT boarder.is_boarder THEN 'boarding'
            WHEN $synced = 'day' AND boarder.is_boarder THEN 'boarding'
            WHEN len($grades) > 0 AND NOT coalesce(list_contains($grades, lower(trim(student.grade))), FALSE)
                THEN 'grade'
        END AS rule
    FROM roster.students AS student
    JOIN roster.boarders AS boarder USING (student_id)
    LEFT JOIN roster.leavers AS leaver USING (student_id)
)
SELECT
    student_id AS veracross_id,
    rule IS NULL AS in_scope,
    rule,
    CASE
        WHEN rule = 'leaver' THEN leave_reason
        WHEN rule = 'future' THEN 'comes to the school on ' || entry_date
        WHEN rule = 'boarding' AND $synced = 'boarding' THEN 'only boarders are synced, and: ' || boarder_reason
        WHEN rule = 'boarding' THEN 'only day students are synced, and: ' || boarder_reason
        WHEN rule = 'grade' THEN coalesce('grade ' || grade, 'an unknown grade') || ' is not among those that are synced'
        WHEN $synced = 'boarding' THEN 'a current student who boards: ' || boarder_reason
        WHEN $synced = 'day' THEN 'a current day student: ' || boarder_reason
        ELSE 'a current student'
    END AS reason
FROM judged
ORDER BY student_id;
