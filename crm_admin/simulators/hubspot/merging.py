"""What becomes of two records that are merged at HubSpot."""

from crm_admin.simulators.hubspot.account import Account
from crm_admin.simulators.hubspot.linking import refresh_primary
from crm_admin.simulators.row import Row
from crm_admin.simulators.truth import By


def merge_rows(account: Account, name: str, pair: tuple[Row, Row], by: By) -> Row:
    """The first record's values win; both ids lead to the merged record, which may have a third
    one.
    """
    portal = account.portal
    keep, absorb = pair
    new_id = account.settings.merge_makes_new_id
    props = merged_properties(name, keep, absorb)
    merged = portal.merge(name, (keep.id, absorb.id), props, new_id=new_id, by=by)
    refresh_primary(portal, (name, merged.id), by)
    return portal.table(name).living_row(merged.id)


def merged_properties(name: str, keep: Row, absorb: Row) -> dict[str, str]:
    """Blanks are filled from the other record, whose addresses become additional ones."""
    props = {**absorb.props, **keep.props}
    ids = [keep.props.get("hs_merged_object_ids", ""), str(keep.id), str(absorb.id)]
    ids.append(absorb.props.get("hs_merged_object_ids", ""))
    props["hs_merged_object_ids"] = ";".join(part for part in ids if part)
    if name == "contacts":
        further = [keep.props.get("hs_additional_emails", "")]
        further += [absorb.props.get(each, "") for each in ("email", "hs_additional_emails")]
        emails = [part for text in further for part in text.split(";") if part]
        kept = dict.fromkeys(email for email in emails if email != props.get("email"))
        props["hs_additional_emails"] = ";".join(kept)
    return {key: value for key, value in props.items() if value}
