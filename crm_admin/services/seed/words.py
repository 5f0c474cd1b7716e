"""The words of the demo's companies, jobs, deals and POVs, and texts that pages must escape."""

from typing import Final

# Each company is called by two words and a legal form; all of them are invented.
FIRST_WORDS_TEXT: Final = """
Amberfield Bluepier Cedarloom Driftglass Emberwick Fernhollow Glasswing Harbourmoss Inkwell
Juniperra Kestrelby Lanternby Marlowen Nimbusett Orchardine Pinequill Quartzley Riverlark
Saltmarsh Thistledon Umbrella-Nord Velvetine Windermoor Yarrowby Zephyrine Ålund Brückner-Alt
Céladonne Dunajek Échoville Façadia Grünspan Høyfjell Iberaluz Jäntti Kōyō Łabędź Mañanera
Nébuleuse Ørsund
"""
TRADES_TEXT: Final = """
Analytics Biotech Ceramics Foods Instruments Logistics Maritime Mills Optics Robotics Solar
Textiles Timber Water Works
"""
FIRST_WORDS: Final = tuple(FIRST_WORDS_TEXT.split())
TRADES: Final = tuple(TRADES_TEXT.split())

# What HubSpot calls the line of business, and what our people wrote for it.
INDUSTRIES: Final = (
    ("COMPUTER_SOFTWARE", "Software"),
    ("LOGISTICS_AND_SUPPLY_CHAIN", "Logistics"),
    ("FOOD_BEVERAGES", "Food and drinks"),
    ("MACHINERY", "Machinery"),
    ("UTILITIES", "Energy and water"),
    ("PLASTICS", "Plastics"),
    ("RETAIL", "Retail"),
    ("BUILDING_MATERIALS", "Building materials"),
    ("INSURANCE", "Insurance"),
    ("HOSPITALITY", "Hotels"),
)

# A title as the hub has it, and as somebody else would write the same job.
TITLES: Final = (
    ("Managing Director", "CEO"),
    ("Head of IT", "IT Director"),
    ("Solution Architect", "Solutions Architect"),
    ("Chief Information Security Officer", "CISO"),
    ("Procurement Manager", "Head of Purchasing"),
    ("Platform Engineer", "DevOps Engineer"),
    ("Data Protection Officer", "DPO"),
    ("Operations Manager", "Ops Manager"),
    ("Sales Director", "VP Sales"),
    ("Geschäftsführerin", "Geschäftsführer"),
    ("Directeur des achats", "Acheteur"),
    ("Project Manager", "PM"),
)
LIFECYCLES: Final = ("lead", "opportunity", "customer", "customer", "subscriber", "evangelist")
STREETS: Final = (
    "Harbour Street",
    "Mühlenweg",
    "Rua das Flores",
    "Rue de l'Écluse",
    "Calle Mayor",
    "ul. Długa",
    "Station Road",
    "Hafenstraße",
    "Birch Avenue",
)

DEAL_THINGS: Final = (
    "Licences",
    "Roll-out",
    "Renewal",
    "Support contract",
    "Extension",
    "Training",
    "Migration",
    "Pilot",
)
DEAL_STAGES: Final = ("new", "qualified", "proposal", "decision", "contract", "won", "lost")
DEAL_TYPES: Final = ("newbusiness", "existingbusiness")
QUARTERS: Final = ("Q1 2027", "Q2 2027", "Q3 2027", "2027", "phase 2")

POV_THINGS: Final = (
    "Single sign-on",
    "Data residency",
    "Edge gateway",
    "Fraud scoring",
    "Fleet telemetry",
    "Document search",
    "Demand forecast",
    "Zero-trust access",
)
POV_STAGES: Final = ("planned", "running", "running", "evaluation", "won", "lost")
PARTNERS: Final = (
    "",
    "",
    "Tidewater Consulting",
    "Brückenbauer Systeme",
    "Conseil Lumière",
    "東雲パートナーズ",
)

FREE_MAIL: Final = ("freemail.example", "postfach.example", "courriel.example")
"""Stands for the large free mail hosts: many people of many companies have an address there."""

HOSTILE: Final = (
    "<script>alert('crm')</script>",
    '=HYPERLINK("http://evil.example","Click")',
    "Robert'); DROP TABLE record;--",
    "🚀 Growth 🦄 Lead",
    "{{ 7 * 7 }} ${7*7}",
    "\u202eevil.exe",
)
"""Values that must arrive on both sides as the text they are."""
