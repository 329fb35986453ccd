using System.Text;
using TeleCmi.Pipeline.Forwarding;

namespace TeleCmi.Pipeline.Tests.Forwarding;

/// <summary>
/// The expected values were worked out from the specification's rules (HMAC-SHA256 over id, timestamp and body, joined
/// with full stops, in Base64) with Python's standard library, not with this code.
/// </summary>
public sealed class StandardWebhookSignatureTests
{
    // The bytes 0 to 31, and 100 to 123.
    private const string First = "whsec_AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=";
    private const string Second = "whsec_ZGVmZ2hpamtsbW5vcHFyc3R1dnd4eXp7";

    private const string SpecificationId = "msg_2KWPBgLlAfxdpx2AI54pPJ85f4W";
    private const string SpecificationBody = """{"type":"contact.created","timestamp":"2022-11-03T20:26:10.344522Z","data":{"id":"1f81eb52-5198-4599-803e-771906343485"}}""";

    [Theory]
    [InlineData(SpecificationId, 1674087231, SpecificationBody, "v1,4PMU5Dl90B4kgwxDpwuMZ/cnZ5ztf+Y+kviYQD66rJg=")]
    [InlineData("1:event:a%2Eb:b:answered", 1, """{"name":"Zoë ☎"}""", "v1,/K6nzZdWJ1Fsx7ZefCAVb6vLgNUnUQ4mc5+UYEVXYo8=")]
    [InlineData("x", 0, "", "v1,Nu9Z2c7NfQ3vzfYl/1MtWRsSymdGY1F543eqEXfae+g=")]
    public void Signature_IsTheSpecifications(string id, long timestamp, string body, string expected) =>
        Sign(id, timestamp, body, First).ShouldBe(expected);

    [Fact]
    public void TwoSecrets_SignSideBySide() =>
        Sign(SpecificationId, 1674087231, SpecificationBody, First, Second)
            .ShouldBe("v1,4PMU5Dl90B4kgwxDpwuMZ/cnZ5ztf+Y+kviYQD66rJg= v1,/BQfvt/cNWSN+Qy6F0/jh9nbVCCgFHjGuvwgqrlEV1c=");

    [Fact]
    public void Timestamp_IsInWholeSeconds() =>
        StandardWebhookSignature.Sign("x", DateTimeOffset.UnixEpoch.AddMilliseconds(999), [], [Secret(First)])
            .ShouldBe("v1,Nu9Z2c7NfQ3vzfYl/1MtWRsSymdGY1F543eqEXfae+g=");

    [Theory]
    [InlineData("2223343:event:ccd826f9:a:answered", "2223343:event:ccd826f9:a:answered")]
    [InlineData("1:event:a.1674087231.b:a:answered", "1:event:a%2E1674087231%2Eb:a:answered")]
    public void HeaderId_HasNoFullStop_SinceThatSeparatesWhatIsSigned(string eventId, string expected) =>
        StandardWebhookSignature.HeaderId(eventId).ShouldBe(expected);

    [Theory]
    [InlineData(24)]
    [InlineData(32)]
    [InlineData(64)]
    public void Secret_Of24To64Bytes_IsTaken(int bytes) =>
        WebhookSecret.TryParse(WebhookSecret.Prefix + Convert.ToBase64String(new byte[bytes]), out _).ShouldBeTrue();

    [Theory]
    [InlineData(null)]
    [InlineData("")]
    [InlineData("whsec_")]
    [InlineData("whsec_not base64 at all!")]
    [InlineData("AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=")]
    [InlineData("whsk_AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=")]
    public void AnythingElse_IsNoSecret(string? text) => WebhookSecret.TryParse(text, out _).ShouldBeFalse();

    [Theory]
    [InlineData(23)]
    [InlineData(65)]
    [InlineData(200)]
    public void Secret_ThatIsTooShortOrTooLong_IsRefused(int bytes) =>
        WebhookSecret.TryParse(WebhookSecret.Prefix + Convert.ToBase64String(new byte[bytes]), out _).ShouldBeFalse();

    [Fact]
    public void GeneratedSecret_IsOne_AndNeverTheSame()
    {
        var secret = WebhookSecret.Generate();
        WebhookSecret.TryParse(secret, out _).ShouldBeTrue();
        (WebhookSecret.Generate() == secret).ShouldBeFalse();
    }

    [Fact]
    public void Secret_DoesNotShowItself() => Secret(First).ToString().ShouldBe("whsec_…");

    private static string Sign(string id, long timestamp, string body, params string[] secrets) => StandardWebhookSignature.Sign(
        id, DateTimeOffset.FromUnixTimeSeconds(timestamp), Encoding.UTF8.GetBytes(body), [.. secrets.Select(Secret)]);

    private static WebhookSecret Secret(string text) => WebhookSecret.TryParse(text, out var secret) ? secret : throw new ArgumentException("Not a secret.", nameof(text));
}
