"""Money of deals and POVs, with the currency of each deal."""

from tests.services.engine.conftest import Desk, HubSpot

QUIET = {"created": 0, "updated": 0, "deleted": 0}


def test_a_deal_keeps_its_own_currency_in_both_directions(desk: Desk, hubspot: HubSpot) -> None:
    pounds = hubspot.add(
        "deals",
        dealname="Pounds",
        dealstage="planned",
        pipeline="pov",
        amount="1000",
        deal_currency_code="GBP",
    )
    plain = hubspot.add(
        "deals", dealname="Plain", dealstage="appointmentscheduled", amount="500.50"
    )
    desk.sync("full")
    held = desk.by_title("Pounds")["data"]["revenue"], desk.by_title("Plain")["data"]["amount"]

    desk.edit(desk.by_title("Pounds")["id"], revenue={"amount": "1200", "currency": "USD"})
    desk.edit(desk.by_title("Plain")["id"], amount={"amount": "600", "currency": "EUR"})
    run = desk.sync("delta")

    assert held == (
        {"amount": "1000", "currency": "GBP"},
        {"amount": "500.5", "currency": "EUR"},
    )
    assert run.theirs["updated"] == 2
    deals = hubspot.all("deals")
    assert (deals[pounds]["amount"], deals[pounds]["deal_currency_code"]) == ("1200", "USD")
    assert (deals[plain]["amount"], deals[plain]["deal_currency_code"]) == ("600", "EUR")
    quiet = desk.sync("full")
    assert (quiet.ours, quiet.theirs) == (QUIET, QUIET)


def test_a_changed_currency_there_is_a_change_here(desk: Desk, hubspot: HubSpot) -> None:
    deal = hubspot.add("deals", dealname="Deal", dealstage="appointmentscheduled", amount="10")
    desk.sync("full")

    hubspot.edit("deals", deal, deal_currency_code="GBP")
    desk.sync("delta")
    hubspot.edit("deals", deal, amount="")
    desk.sync("delta")

    assert desk.by_title("Deal")["data"].get("amount") is None
    changes = desk.rows(
        "SELECT fields -> 'amount' -> 1 AS value FROM operation WHERE fields ? 'amount' ORDER BY id"
    )
    assert [row["value"] for row in changes] == [{"amount": "10", "currency": "GBP"}, None]


def define(hubspot: HubSpot, name: str, **facts: object) -> None:
    told = {"object": "deals", "name": name, "label": name, "type": "string", "fieldType": "text"}
    hubspot.post("/_sim/property", {**told, **facts})


def test_fields_of_a_pov_that_the_account_has_are_mapped_from_the_start(
    desk: Desk, hubspot: HubSpot
) -> None:
    define(hubspot, "pov_partner")
    codes = ("on_track", "at_risk", "on_hold", "closed")
    options = [{"label": code, "value": code} for code in codes]
    define(hubspot, "pov_status", type="enumeration", fieldType="select", options=options)
    hubspot.add(
        "deals",
        dealname="Proof",
        dealstage="planned",
        pipeline="pov",
        pov_partner="Globex",
        pov_status="at_risk",
    )

    desk.sync("full")

    data = desk.by_title("Proof")["data"]
    assert (data["partner"], data["status"]) == ("Globex", "at_risk")


def test_fields_that_the_account_lacks_or_that_do_not_fit_spoil_nothing(
    desk: Desk, hubspot: HubSpot
) -> None:
    options = [{"label": "Green", "value": "green"}]
    define(hubspot, "pov_status", type="enumeration", fieldType="select", options=options)
    hubspot.add("deals", dealname="Proof", dealstage="planned", pipeline="pov")

    run = desk.sync("full")

    ours = {row["ours"] for row in desk.rows("SELECT ours FROM field_rule")}
    assert run.state == "succeeded"
    assert not {"partner", "status"} & ours
