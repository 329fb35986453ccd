using Microsoft.Extensions.Options;
using TeleCmi.Pipeline.Receiving;

namespace TeleCmi.Pipeline.Tests;

public sealed class AccessTokensTests
{
    private const string First = "first-token-of-at-least-twenty";
    private const string Second = "second-token-of-at-least-twenty";

    [Theory]
    [InlineData(First)]
    [InlineData(Second)]
    public void EveryConfiguredToken_IsValid(string token) => Tokens($"{First}, {Second}").IsValid(token).ShouldBeTrue();

    [Theory]
    [InlineData(null)]
    [InlineData("")]
    [InlineData(" ")]
    [InlineData("first-token-of-at-least-twent")]
    [InlineData("FIRST-TOKEN-OF-AT-LEAST-TWENTY")]
    [InlineData($"{First}, {Second}")]
    public void AnyOtherToken_IsNotValid(string? token) => Tokens($"{First}, {Second}").IsValid(token).ShouldBeFalse();

    [Theory]
    [InlineData("")]
    [InlineData("  ")]
    [InlineData(" , ,")]
    public void WithoutTokens_NothingIsValid(string setting)
    {
        var tokens = Tokens(setting);
        tokens.Any.ShouldBeFalse();
        tokens.IsValid("").ShouldBeFalse();
        tokens.IsValid(" ").ShouldBeFalse();
        tokens.IsValid(null).ShouldBeFalse();
    }

    private static AccessTokens Tokens(string setting) => new(Options.Create(new TeleCmiOptions { AccessTokens = setting }));
}
