"""How often what happens to a record. One place, so that a reader can doubt all of it at once."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Rates:
    """Shares between 0 and 1. **All of them are assumptions**, made before any matcher was run on the data.

    No publication tells how often Veracross and Orah differ about a student. The guesses lean to the bad side for
    what makes two children look alike (twins, near-same names, other people's addresses) and to the middle for
    plain sloppiness. "Theirs" is the system that people type into; "ours" is the school's information system.
    They were not fitted to any result; a school that measures its own is welcome to change them.

    Who is there:
        twins: students who are twins; of these ``near_twins`` have near-same names and ``split_twins`` pairs are
            known one to each system.
        namesakes: students who carry first and last name of another child of the school, of which
            ``namesakes_same_birthday`` the birth date too.
        only_ours, only_theirs: students whom one system does not know (newcomers, leavers, day students).
        double_ours, double_theirs: records entered a second time.

    Names:
        preferred: students called by something else than the legal first name (of East Asian students
            ``preferred_east_asia``: mostly an English name).
        typo_*, truncated, unknown_first, new_first, new_last, swapped, swapped_east_asia, half_surname, suffix,
        own_script, romanised_otherwise, plain_letters, middle_*: what is shown of it.

    The rest is named by its field: a date, sex, grade, address, e-mail, number is missing, mistyped, a sibling's,
    another child's, a parent's, a placeholder, or recycled (a leaver's, given to a newcomer).
    """

    twins: float = 0.02
    near_twins: float = 0.10
    split_twins: float = 0.03
    namesakes: float = 0.003
    namesakes_same_birthday: float = 0.005
    only_ours: float = 0.035
    only_theirs: float = 0.03
    double_ours: float = 0.001
    double_theirs: float = 0.003

    preferred: float = 0.14
    preferred_east_asia: float = 0.45
    preferred_known_ours: float = 0.85
    shown_preferred_with_legal: float = 0.60
    shown_preferred_alone: float = 0.25
    typo_ours: float = 0.003
    typo_theirs: float = 0.012
    truncated: float = 0.003
    unknown_first: float = 0.001
    new_first: float = 0.003
    new_last: float = 0.005
    swapped: float = 0.002
    swapped_east_asia: float = 0.02
    half_surname: float = 0.20
    suffix: float = 0.01
    own_script: float = 0.01
    romanised_otherwise: float = 0.15
    respelled_surname: float = 0.02
    plain_letters: float = 0.4

    middle: float = 0.55
    middle_full_theirs: float = 0.45
    middle_initial_theirs: float = 0.20
    middle_within_first: float = 0.02

    date_missing_ours: float = 0.002
    date_missing_theirs: float = 0.02
    date_digit_ours: float = 0.001
    date_digit_theirs: float = 0.008
    date_day_month: float = 0.006
    date_year: float = 0.003
    date_placeholder: float = 0.004
    date_of_sibling: float = 0.002

    sex_missing: float = 0.03
    sex_wrong: float = 0.002
    grade_missing: float = 0.02
    grade_one_off: float = 0.03
    grade_far_off: float = 0.002
    school_not_rolled_over: float = 0.05

    address_missing_theirs: float = 0.40
    address_old_theirs: float = 0.06

    email_missing_ours: float = 0.06
    email_missing_theirs: float = 0.12
    email_of_parent_ours: float = 0.01
    email_of_parent_theirs: float = 0.02
    parent_email_known: float = 0.85
    email_personal_theirs: float = 0.02
    email_mistyped_theirs: float = 0.004
    email_of_lookalike_theirs: float = 0.003
    email_of_sibling_theirs: float = 0.003
    email_of_anyone_theirs: float = 0.001
    email_recycled: float = 0.05

    number_missing_theirs: float = 0.10
    number_mistyped_theirs: float = 0.004
    number_of_sibling_theirs: float = 0.002
    number_of_anyone_theirs: float = 0.001
    number_recycled: float = 0.05
