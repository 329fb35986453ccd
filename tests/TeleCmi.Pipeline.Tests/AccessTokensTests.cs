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
    public void ConfiguredToken_IsValid(string token) => Tokens(First, Second).IsValid(token).ShouldBeTrue();

    [Theory]
    [InlineData(null)]
    [InlineData("")]
    [InlineData(" ")]
    [InlineData("first-token-of-at-least-twent")]
    [InlineData("FIRST-TOKEN-OF-AT-LEAST-TWENTY")]
    [InlineData($"{First}, {Second}")]
    public void AnyOtherToken_IsNotValid(string? token) => Tokens(First, Second).IsValid(token).ShouldBeFalse();

    [Theory]
    [InlineData(null)]
    [InlineData("")]
    [InlineData(" ")]
    public void WithoutTokens_NothingIsValid(string? token)
    {
        Tokens().Any.ShouldBeFalse();
        Tokens().IsValid(token).ShouldBeFalse();
    }

    private static AccessTokens Tokens(params string[] tokens) => new(Options.Create(new TeleCmiOptions { AccessTokens = tokens }));
}
