"""Names of people from many cultures, mostly in Latin script, from Faker and a few lists of our own.

Faker's Korean, Arabic and Russian names come in their own scripts, while schools abroad keep the romanised
form, so those three are lists here.
"""

import random
import unicodedata
from collections.abc import Callable
from dataclasses import dataclass

from faker import Faker


@dataclass(frozen=True)
class Culture:
    """A family's naming tradition.

    Args:
        code: a short name of the tradition.
        locale: the Faker locale behind it (for listed names: where addresses come from).
        weight: share among the families, relative to the others.
        abroad: chance that a family's home is abroad.
        tradition: ``plain``; ``romanised`` (Faker's romanised names); ``listed`` (lists below); ``slavic``
            (women's last names end differently); ``double`` (children carry both parents' last names);
            ``mononym`` (a family name is not customary); ``native`` (kept in its own script).
    """

    code: str
    locale: str
    weight: float
    abroad: float
    tradition: str = "plain"


CULTURES: tuple[Culture, ...] = (
    Culture("american", "en_US", 44, 0.0),
    Culture("chinese", "zh_CN", 8, 0.7, "romanised"),
    Culture("korean", "ko_KR", 6, 0.7, "listed"),
    Culture("mexican", "es_MX", 6, 0.4, "double"),
    Culture("indian", "en_IN", 5, 0.3),
    Culture("vietnamese", "vi_VN", 4, 0.6),
    Culture("japanese", "ja_JP", 4, 0.7, "romanised"),
    Culture("german", "de_DE", 4, 0.6),
    Culture("french", "fr_FR", 3, 0.6),
    Culture("arabic", "ar_AA", 3, 0.6, "listed"),
    Culture("polish", "pl_PL", 2.5, 0.3, "slavic"),
    Culture("turkish", "tr_TR", 2, 0.6),
    Culture("dutch", "nl_NL", 2, 0.5),
    Culture("brazilian", "pt_BR", 2, 0.6),
    Culture("nigerian", "en_NG", 2, 0.6),
    Culture("irish", "ga_IE", 1.5, 0.1),
    Culture("swedish", "sv_SE", 1, 0.5),
    Culture("czech", "cs_CZ", 1, 0.5, "slavic"),
    Culture("russian", "en_US", 1, 0.5, "listed"),
    Culture("zulu", "zu_ZA", 0.7, 0.8),
    Culture("indonesian", "id_ID", 0.7, 0.8, "mononym"),
    Culture("chinese script", "zh_CN", 0.3, 0.9, "native"),
    Culture("korean script", "ko_KR", 0.3, 0.9, "native"),
    Culture("arabic script", "ar_AA", 0.2, 0.9, "native"),
)

_LISTED: dict[str, tuple[str, str, str]] = {
    # women, men, families; Korean given names are syllable pairs, written three ways
    "korean": (
        "Seo Yeon,Ji Woo,Ha Eun,Min Seo,Soo Ah,Ye Jin,Da Eun,Chae Won,Yu Na,Hye Rin,So Yul,Eun Bi",
        "Min Jun,Seo Jun,Do Yun,Ji Ho,Hyun Woo,Joon Young,Tae Yang,Sung Min,Jae Won,Dong Hyun,Woo Jin,Si Woo",
        "Kim,Lee,Park,Choi,Jung,Kang,Cho,Yoon,Jang,Lim,Han,Oh,Seo,Shin,Kwon,Hwang",
    ),
    "arabic": (
        "Fatima,Layla,Noor,Maryam,Hala,Dana,Reem,Aisha,Yasmin,Lujain,Sara,Amal",
        "Mohammed,Mohamed,Muhammad,Omar,Khalid,Yousef,Youssef,Ali,Abdulaziz,Faisal,Hamza,Abd al-Rahman",
        "Al-Saud,Al Otaibi,al-Harbi,Haddad,Khoury,El-Sayed,Mansour,Al-Mutairi,Nasser,Bin Laith,Abu Zaid",
    ),
    "russian": (
        "Anastasia,Ekaterina,Sofia,Polina,Yulia,Daria,Kseniya,Alina",
        "Aleksandr,Dmitry,Mikhail,Nikita,Yaroslav,Fyodor,Ilya,Sergei",
        "Ivanov,Smirnov,Kuznetsov,Morozov,Volkov,Sokolov,Lebedev,Fedorov",
    ),
}
_FEMININE_ENDINGS = (
    ("ski", "ska"),
    ("cki", "cka"),
    ("dzki", "dzka"),
    ("ý", "á"),
    ("ov", "ova"),
    ("ev", "eva"),
)
_ASCII = str.maketrans(
    {
        "ł": "l",
        "Ł": "L",
        "ø": "o",
        "Ø": "O",
        "đ": "d",
        "Đ": "D",
        "ß": "ss",
        "\u0131": "i",
        "æ": "ae",
        "ð": "d",
    }
)


def feminine(last: str) -> str:
    """The form of a Slavic last name that a woman bears, e.g. ``Nowacki`` to ``Nowacka``."""
    for masculine, ending in _FEMININE_ENDINGS:
        if last.endswith(masculine):
            return last.removesuffix(masculine) + ending
    return last


def ascii_word(name: str) -> str:
    """Lower-case ASCII letters of a name, for e-mails and usernames; empty for names in other scripts."""
    plain = unicodedata.normalize("NFKD", name.translate(_ASCII)).encode("ascii", "ignore").decode()
    return "".join(letter for letter in plain.lower() if letter.isalpha())


class NameSource:
    """Draws names and addresses; the same seed draws the same ones in the same order."""

    def __init__(self, seed: int) -> None:
        self._seed = seed
        self._rng = random.Random(f"{seed}:names")
        self._fakers: dict[str, Faker] = {}
        self._weights = [culture.weight for culture in CULTURES]

    def faker(self, locale: str) -> Faker:
        """The Faker of this locale, made when first needed."""
        if locale not in self._fakers:
            made = Faker(locale)
            made.seed_instance(f"{self._seed}:{locale}")
            self._fakers[locale] = made
        return self._fakers[locale]

    def culture(self) -> Culture:
        """A tradition, drawn by weight."""
        return self._rng.choices(CULTURES, self._weights)[0]

    def given(self, culture: Culture, gender: str | None) -> str:
        """A first name; `gender` is a label, and anything but Female and Male draws from both."""
        female = gender == "Female" or (gender != "Male" and self._rng.random() < 0.5)
        if culture.tradition == "romanised":
            return str(self.faker(culture.locale).romanized_name()).split()[0]
        if culture.tradition == "listed":
            name = self._rng.choice(_LISTED[culture.code][0 if female else 1].split(","))
            return self._korean_spelling(name) if culture.code == "korean" else name
        faker = self.faker(culture.locale)
        draw: Callable[[], str] = faker.first_name_female if female else faker.first_name_male
        name = draw()
        # Double first names are ordinary in many families, with and without the hyphen.
        if culture.tradition in ("plain", "double") and self._rng.random() < 0.04:
            name += self._rng.choice("- ") + draw()
        return name

    def family(self, culture: Culture) -> str:
        """A last name (the men's form where forms differ)."""
        if culture.tradition == "romanised":
            return str(self.faker(culture.locale).romanized_name()).split()[-1]
        if culture.tradition == "listed":
            return self._rng.choice(_LISTED[culture.code][2].split(","))
        faker = self.faker(culture.locale)
        if culture.tradition == "slavic":
            return str(faker.last_name_male())
        last = str(faker.last_name())
        if culture.code == "american":
            chance = self._rng.random()
            if chance < 0.04:
                last = f"{last}-{faker.last_name()}"
            elif chance < 0.08:
                last = self._rng.choice(("O'", "D'", "Mc", "St. ", "de la ")) + last
        return last

    def _korean_spelling(self, name: str) -> str:
        first, second = name.split()
        return self._rng.choice(
            (f"{first}-{second.lower()}", f"{first} {second}", f"{first}{second.lower()}")
        )
