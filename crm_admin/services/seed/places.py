"""Where the demo's people live: invented mixes of names, cities and numbers of twelve countries."""

from dataclasses import dataclass
from typing import Final


@dataclass(frozen=True, slots=True)
class Place:
    """One country. A name or city in another script has its Latin spelling after an equals sign.

    `phone` and `mobile` are patterns of numbers that nobody is given: # is a digit. `spellings` are
    other ways to write the country, and `trunk` is what a number starts with inside it.
    """

    code: str
    country: str
    weight: int
    spellings: tuple[str, ...]
    cities: tuple[str, ...]
    given: tuple[str, ...]
    family: tuple[str, ...]
    phone: str
    mobile: str
    trunk: str
    forms: tuple[str, ...]


# One paragraph per country; a line that begins with a blank goes on with the one before.
TEXT: Final = """
country: GB|United Kingdom|5
also: UK|Great Britain|GB|united kingdom
cities: London|Leeds|Bristol|Cardiff|Belfast|Glasgow|Norwich
given: Amelia Oliver Siân Harry Niamh George Isla Callum Imogen Rhys Freya Ewan Poppy Alfie
  Maisie Gareth Harriet Jamal Zadie Kwame
family: Ashworth Blackwood Carrow Dunmore Eastgate Fairley Greenhalgh Hollins Kerr-Lyle Lockhart
  MacAvoy Nettleton O'Dowd Pemberley Quill Rowntree Sheldrake Thornbury Underhill Whitlock
numbers: +44 20 7946 0###|+44 7700 900###|0
forms: Ltd|Limited|plc|LLP

country: DE|Germany|5
also: Deutschland|DE|GERMANY
cities: Köln|Berlin|Münster|Leipzig|Nürnberg|Lübeck
given: Jürgen Anneliese Björn Käthe Matthias Sören Ute Wolfgang Friederike Till Heike Lukas
  Marlene Götz Ingrid Jonas Mareike Emre Rüdiger Hanna
family: Ackerbrück Birkenfels Dörnholt Eichenwald Fröhlingen Grünhagen Hübschmann Köstermann
  Lüdenau Mühlbeck Nordhoff Oberreuth Pfützner Röhrig Schönbrunn Tannhorst Überwald Weißenborn
  Zöllner-Ries
numbers: +49 30 23125 ###|+49 171 00# ####|0
forms: GmbH|AG|GmbH & Co. KG|KG

country: US|United States|5
also: USA|US|U.S.A.|united states
cities: Austin|Boise|Portland|San José|Tulsa|Savannah
given: Madison Tyler Keisha Brandon Aaliyah Hunter Savannah Diego Jasmine Cody Brianna Malik
  Paige Trevor Shanice Wyatt Camila Darnell Autumn Jesús
family: Abernathy Brightwater Castellane Delacruz Ellsworth Fontaine Graywolf Hathaway Ironside
  Jefferies Kettleman Lonetree Merriweather Northcutt Ogletree Pennington Rainwater Stonebridge
numbers: +1 2## 555 01##|+1 5## 555 01##|
forms: Inc.|LLC|Corp.|Co.

country: FR|France|4
also: FR|FRANCE|france
cities: Besançon|Lyon|Nîmes|Orléans|Saint-Étienne
given: Chloé François Hélène Jean-Luc Maëlle Rémi Zoé Théo Aurélie Gaëtan Noémie Cédric Léa
  Amélie Benoît Fatoumata Jérôme Solène
family: Aubépin Beauvallon Châtenier Delaforêt Évrardin Fougeray Grandpré Hautecœur Lavigneau
  Mérisier Noirmont Périgord Roselière Sansoucy Trévignac Valcourt
numbers: +33 1 99 00 ## ##|+33 6 39 98 ## ##|0
forms: SA|SARL|SAS

country: ES|Spain|4
also: España|ES|Espana
cities: Málaga|Gijón|Cádiz|A Coruña|Logroño
given: Álvaro Begoña Iñaki Lucía Martín Nuria Óscar Pilar Raúl Sofía Íñigo Montserrat Jordi
  Ainhoa Ximena Tomás
family: Aldecoa Bárcena Castroviejo Echegaray Fuentealba Garmendia Iñurria Llorente Montañés
  Núñez-Ley Olavarría Peñalver Quirós Riquelme Santibáñez Urrutia
numbers: +34 910 00# ###|+34 600 00# ###|
forms: S.L.|S.A.

country: PT|Portugal|3
also: PT|portugal|PORTUGAL
cities: Lisboa|Évora|Guimarães|São João da Madeira|Setúbal
given: Inês João Catarina Duarte Leonor Gonçalo Beatriz Simão Mafalda Tomé Conceição Rui Graça
  Anselmo Débora Nuno
family: Abrantelo Barreirinha Carvalhão Fontainhas Guimarosa Lourençal Magalhinho Negrão
  Palmeirim Quintãs Ribeirada Saraiveira Taveirão Valadinho
numbers: +351 210 00# ###|+351 910 00# ###|
forms: Lda|S.A.

country: PL|Poland|3
also: Polska|PL|poland
cities: Łódź|Kraków|Gdańsk|Wrocław|Poznań
given: Łukasz Zofia Wojciech Małgorzata Grzegorz Jagoda Paweł Świętosława Michał Żaneta
  Stanisław Róża Kacper Bożena Ignacy Dorota
family: Brzęczyk Czarnolas Dąbrówka Gęsiorek Jarzębski Kłosowicz Łabędzki Mączyński Niewęgłowicz
  Ośnicki Przybyłek Śliwiński Trzciński Wąsikowski Żółkiewka
numbers: +48 22 000 ## ##|+48 500 00# ###|
forms: Sp. z o.o.|S.A.

country: SE|Sweden|3
also: Sverige|SE|sweden
cities: Malmö|Göteborg|Örebro|Umeå
given: Åsa Mårten Linnéa Björn Frida Håkan Saga Östen Ebba Sixten Tuva Göran Majken Nils
family: Askelund Björkvik Dahlström Ekhammar Fjällbo Granqvist Höglind Järvstad Kärrman Lövgård
  Norrsjö Sjöhage Tallberg Ängsholm
numbers: +46 8 000 ## ##|+46 70 000 ## ##|0
forms: AB

country: JP|Japan|2
also: 日本|JP|JAPAN
cities: 東京=Tokyo|大阪=Osaka|札幌=Sapporo
given: 太郎=Taro 花子=Hanako 健太=Kenta 美咲=Misaki 翔太=Shota さくら=Sakura 大輔=Daisuke
  陽菜=Hina 直樹=Naoki 結衣=Yui 拓海=Takumi 葵=Aoi
family: 青柳=Aoyagi 小鳥遊=Takanashi 五百川=Iokawa 水無瀬=Minase 月見里=Yamanashi
  北条寺=Hojoji 桜庭=Sakuraba 一ノ瀬=Ichinose 鷹司=Takatsukasa 東雲=Shinonome
  冬木=Fuyuki 白鳥=Shiratori
numbers: +81 3 0000 ####|+81 90 0000 ####|0
forms: K.K.|株式会社|G.K.

country: AE|United Arab Emirates|2
also: UAE|الإمارات|AE
cities: Dubai|أبوظبي=Abu Dhabi|Sharjah
given: محمد=Mohammed فاطمة=Fatima عمر=Omar ليلى=Layla خالد=Khalid نورة=Noura يوسف=Yousef
  مريم=Maryam طارق=Tariq هدى=Huda سالم=Salem أمل=Amal
family: الزهراني=Alzahrani القمري=Alqamari النخيلي=Alnakhili البدراني=Albadrani الواحي=Alwahi
  الصقرواي=Alsaqrawi المرجاني=Almarjani الرملي=Alramli الفجري=Alfajri السدراوي=Alsidrawi
  الياقوتي=Alyaquti الغافي=Alghafi
numbers: +971 4 000 ####|+971 50 000 ####|0
forms: LLC|FZE

country: IN|India|3
also: IN|Bharat|INDIA
cities: Pune|Bengaluru|नई दिल्ली=New Delhi|Kochi
given: Priyanka Arjun Meenakshi Rohan अनिता=Anita Vikram Lakshmi Imran Deepika Harpreet Sunil
  Kavya Farhan Nandini राहुल=Rahul Ishaan
family: Agnimukhi Banjaraval Chandrakant Devgiri Ghatotkar Hariprakash Jyotirmayan Kalpavriksh
  Maheshvari Neelkanthan Padmanagar Raghupathi Suryavanshi Vasudevan-Pillai
numbers: +91 22 0000 ####|+91 90000 0####|0
forms: Pvt. Ltd.|LLP

country: GR|Greece|1
also: Ελλάδα|GR|Hellas
cities: Αθήνα=Athens|Πάτρα=Patras|Chania
given: Ελένη=Eleni Γιώργος=Giorgos Μαρία=Maria Νίκος=Nikos Κατερίνα=Katerina Δημήτρης=Dimitris
  Σοφία=Sofia Ανδρέας=Andreas Άννα=Anna Χρήστος=Christos
family: Ανεμογιάννης=Anemogiannis Βουνίτης=Vounitis Γαλανόπουλος=Galanopoulos Δαφνίδης=Dafnidis
  Ελαιώνας=Elaionas Θαλασσινός=Thalassinos Κυπαρίσσης=Kyparissis Λεμονάκης=Lemonakis
  Μελισσινός=Melissinos Πλατανιάς=Platanias
numbers: +30 21 0000 ####|+30 690 000 ####|
forms: A.E.|E.Π.E.
"""


def _place(paragraph: str) -> Place:
    lines = paragraph.replace("\n ", " ").splitlines()
    values = {name: text.strip() for name, _, text in (line.partition(":") for line in lines)}
    code, country, weight = values["country"].split("|")
    phone, mobile, trunk = values["numbers"].split("|")
    return Place(
        code=code,
        country=country,
        weight=int(weight),
        spellings=tuple(values["also"].split("|")),
        cities=tuple(values["cities"].split("|")),
        given=tuple(values["given"].split()),
        family=tuple(values["family"].split()),
        phone=phone,
        mobile=mobile,
        trunk=trunk,
        forms=tuple(values["forms"].split("|")),
    )


PLACES: Final = tuple(_place(paragraph) for paragraph in TEXT.strip().split("\n\n"))
