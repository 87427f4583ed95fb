"""The list of checks: what is put down first stays, and the exit code."""

from doctor_homes import check_of

from rookery.support.doctor import checks
from rookery.support.doctor.checks import CheckResults


def test_what_is_put_down_first_stays_and_the_order_is_the_list_s() -> None:
    results = CheckResults(checks.CLUSTER)
    results.ok("port", "it answers")
    results.fault("dns", "no\nsuch \x1b[31mhost", "look\nit up")
    results.fault("port", "it does not", "")
    results.skip_rest("dns comes first")
    assert [check.name for check in results.checks] == list(checks.CLUSTER)
    assert check_of(results, "port").state == "ok"
    assert check_of(results, "dns").found == "no such host"
    assert check_of(results, "dns").fix == "look it up"
    assert (results.state, checks.exit_code([results])) == ("faults", 3)


def test_exit_codes() -> None:
    well, lost, ill = CheckResults(checks.WAY), CheckResults(checks.WAY), CheckResults(checks.WAY)
    well.warn("dns", "slow")
    well.skip("vpn", "not needed")
    lost.skip("second-factor", "no terminal", "invoke login --cluster hec")
    ill.fault("dns", "gone", "")
    assert [results.state for results in (well, lost, ill)] == ["healthy", "unknown", "faults"]
    assert [checks.exit_code(results_of) for results_of in ([well], [well, lost], [lost, ill])] == [0, 1, 3]
