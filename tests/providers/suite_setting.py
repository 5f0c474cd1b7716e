"""What the settings page may rely on: checks, descriptions, the field of our key."""

import pytest

from crm_admin.errors import CrmAdminError, NeedsAttention
from crm_admin.providers.base import NewField
from tests.providers.lab import Lab, closed_port


class Setting:
    NAMES = ("address", "credentials", "account", "scopes", "fields", "write", "clock")

    def test_a_good_connection_passes_every_line_and_writes_nothing(self, lab: Lab) -> None:
        record_id = lab.add(1)
        before = lab.truth()

        lines = list(lab.open().check([lab.facts.name, lab.facts.parent]))

        assert tuple(line.name for line in lines) == self.NAMES
        assert [line.ok for line in lines] == [True] * len(self.NAMES)
        assert all(line.sentence for line in lines)
        assert lab.truth() == before
        assert record_id in before

    def test_a_closed_address_fails_its_line_and_the_rest_is_not_tried(self, lab: Lab) -> None:
        lines = list(lab.open(url=closed_port()).check([lab.facts.name]))

        assert [line.ok for line in lines] == [False] + [None] * 6
        assert lines[0].fix

    def test_a_wrong_token_fails_its_line_and_the_rest_is_not_tried(self, lab: Lab) -> None:
        lines = list(lab.open(access_token="wrong").check([lab.facts.name]))

        assert [line.ok for line in lines] == [True, False] + [None] * 5
        assert lines[1].fix

    def test_a_missing_right_to_write_is_named(self, lab: Lab) -> None:
        lab.config(tokens={"limited": lab.facts.scopes_without(lab.facts.write_scope)})

        lines = {
            line.name: line for line in lab.open(access_token="limited").check([lab.facts.name])
        }

        assert lines["scopes"].ok is True
        assert lines["write"].ok is False
        assert lab.facts.write_scope in lines["write"].fix

    def test_a_missing_right_to_read_is_named(self, lab: Lab) -> None:
        lab.config(tokens={"limited": lab.facts.scopes_without(lab.facts.read_scope)})

        lines = {
            line.name: line for line in lab.open(access_token="limited").check([lab.facts.name])
        }

        assert lines["scopes"].ok is False
        assert lab.facts.read_scope in lines["scopes"].fix

    def test_a_clock_that_is_off_is_told(self, lab: Lab) -> None:
        lab.config(clock_offset=3600)

        *_, last = lab.open().check([lab.facts.name])

        assert last.name == "clock"
        assert last.ok is False

    def test_the_account_is_known(self, lab: Lab) -> None:
        account = lab.open().account()

        assert account.id
        assert account.environment in ("production", "sandbox")

    def test_fields_are_described(self, lab: Lab) -> None:
        fields = {field.name: field for field in lab.open().describe(lab.facts.name).fields}

        assert fields[lab.facts.key].unique
        assert fields[lab.facts.key].label
        assert any(field.options for field in fields.values())
        assert any(field.read_only for field in fields.values())

    def test_the_field_of_our_key_is_made_once(self, lab: Lab) -> None:
        provider = lab.open()
        new = NewField(provider.spec.marker_field, "Our key", unique=True)

        provider.create_field(lab.facts.name, new)
        provider.create_field(lab.facts.name, new)

        fields = {field.name: field for field in provider.describe(lab.facts.name).fields}
        assert fields[new.name].unique
        assert fields[new.name].custom

    def test_making_it_without_the_right_needs_a_person(self, lab: Lab) -> None:
        lab.config(tokens={"limited": lab.facts.scopes_without(lab.facts.fields_scope)})
        provider = lab.open(access_token="limited")

        with pytest.raises(NeedsAttention, match=lab.facts.fields_scope):
            provider.create_field(
                lab.facts.name, NewField(provider.spec.marker_field, "Our key", unique=True)
            )

    def test_a_connection_without_credentials_is_not_opened(self, lab: Lab) -> None:
        with pytest.raises(NeedsAttention):
            lab.open(access_token="")

    @pytest.mark.parametrize(
        "url", ["http://10.0.0.1", "https://evil.example", "nonsense", "https://x@y"]
    )
    def test_a_strange_address_is_never_called(self, lab: Lab, url: str) -> None:
        with pytest.raises(CrmAdminError):
            lab.read_all(lab.open(url=url))

        assert all(entry.status is None for entry in lab.log.entries)

    def test_no_token_is_ever_logged(self, lab: Lab) -> None:
        provider = lab.open()
        lab.fault("400", lab.facts.creates, times=1)
        provider.write(lab.facts.name, lab.creates(1))
        list(provider.check([lab.facts.name]))

        assert lab.log.entries
        for secret in lab.facts.secrets.values():
            assert secret not in repr(lab.log.entries)
