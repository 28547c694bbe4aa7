"""Names say what is secret, by their words; what only sounds like it is shown."""

import pytest

from orchestrator.model.devices import SECRET_FIELDS, WRITABLE_FIELDS
from orchestrator.model.secrecy import MASK, is_secret, masked
from orchestrator.playbook.conditions import KNOWN_FIELDS
from tests.support.playbooks import fault, minimal, playbook

SECRET = [
    "password", "newPassword", "username", "user_name", "UserName", "userName1", "pass_word",
    "wifi_passphrase", "secret", "client_secret", "api_token", "credentials", "login_credentials",
    "passwd", "root_passwd", "pwd", "wifi_pwd", "rootpwd", "pass", "wifi_pass", "pppoe_pass",
    "pppoe_pass_2", "old_pass", "wifipass", "passcode", "pin", "PIN", "wps_pin", "pin_code",
    "SimPin.1", "puk", "psk", "psk2", "wifi_psk", "wpa2-psk", "psk_guest", "wpapsk", "key_of_psk",
    "community", "snmp_community", "SNMP.ReadCommunity", "CommunityName", "wifi_key",
    "wifi_key_5ghz", "wpa_key", "WPAkey", "WPA2Key", "wpa2_key", "WEPKey1", "wep_key",
    "Security.WEPKey.1.WEPKey", "SharedKey", "PreSharedKey.1", "pre_shared_key", "PrivateKey",
    "private_key", "wireguard.private_key", "api_key", "API_KEY", "apiKey", "apikey", "auth_key",
    "access_key", "encryption_key", "sessionKey",
    "Device.WiFi.AccessPoint.1.Security.KeyPassphrase",
]  # fmt: skip

SHOWN = [
    "keyboard", "keyboard_layout", "monkey_count", "monkey", "hotkey", "turnkey", "public_key",
    "PublicKey", "ssh_public_key", "key", "keys", "primary_key", "sort_key", "key_type",
    "encryption_key_type", "access_key_id", "type", "pinned", "pins", "pin_count", "gpio_pin",
    "pending_settings", "mapping", "shipping", "spin", "opinion", "description", "compass",
    "encompass", "bypass", "ByPass", "low_pass", "pass_count", "passive", "passed", "passthrough",
    "passenger", "community_id", "communication", "serial_number", "name", "location",
]  # fmt: skip


@pytest.mark.parametrize("name", SECRET)
def test_a_name_that_says_it_holds_a_secret_is_taken_at_its_word(name):
    assert is_secret(name)


@pytest.mark.parametrize("name", SHOWN)
def test_a_name_that_only_sounds_like_a_secret_is_shown(name):
    assert not is_secret(name)


def test_of_the_documented_fields_only_user_name_and_password_are_secret():
    named = {*KNOWN_FIELDS, *WRITABLE_FIELDS}

    assert {name for name in named if is_secret(name)} == set(SECRET_FIELDS)


def test_a_secret_that_is_there_is_masked_and_an_empty_one_stays_empty():
    assert masked("wifi_key", "hunter2") == MASK
    assert masked("wifi_key", "") == ""
    assert masked("keyboard", "de") == "de"


@pytest.mark.parametrize("name", ["wifi_key", "snmp_community", "pin"])
def test_no_playbook_holds_what_such_a_field_is_given(name):
    found = fault(minimal(steps=f"- update: {{{name}: hunter2}}"))

    assert found.message == f"{name} is a secret, and no secret stands in a playbook"
    assert "hunter2" not in found.source
    assert playbook(minimal(steps=f"- update: {{{name}: {{generate: 24}}}}"))
