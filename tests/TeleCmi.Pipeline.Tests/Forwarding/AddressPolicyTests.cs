using System.Net;
using Microsoft.Extensions.Options;
using TeleCmi.Pipeline.Forwarding;

namespace TeleCmi.Pipeline.Tests.Forwarding;

public sealed class AddressPolicyTests
{
    [Theory]
    [InlineData("0.0.0.0")]
    [InlineData("10.0.0.1")]
    [InlineData("100.100.100.200")] // Metadata at Alibaba.
    [InlineData("127.0.0.1")]
    [InlineData("127.255.255.254")]
    [InlineData("168.63.129.16")] // Azure's own.
    [InlineData("169.254.169.254")] // Metadata nearly everywhere.
    [InlineData("169.254.170.2")]
    [InlineData("172.16.0.1")]
    [InlineData("172.31.255.255")]
    [InlineData("192.0.0.8")]
    [InlineData("192.0.2.1")]
    [InlineData("192.88.99.1")]
    [InlineData("192.168.1.1")]
    [InlineData("198.18.0.1")]
    [InlineData("198.51.100.1")]
    [InlineData("203.0.113.1")]
    [InlineData("224.0.0.1")]
    [InlineData("240.0.0.1")]
    [InlineData("255.255.255.255")]
    [InlineData("::")]
    [InlineData("::1")]
    [InlineData("::127.0.0.1")]
    [InlineData("::ffff:127.0.0.1")]
    [InlineData("::ffff:169.254.169.254")]
    [InlineData("64:ff9b::10.0.0.1")]
    [InlineData("64:ff9b:1::1")]
    [InlineData("2001:0:4136:e378:8000:63bf:3fff:fdd2")] // Teredo.
    [InlineData("2002:7f00:1::")] // 6to4 of 127.0.0.1.
    [InlineData("2001:db8::1")]
    [InlineData("3fff::1")]
    [InlineData("fd00:ec2::254")] // Metadata at Amazon.
    [InlineData("fe80::1")]
    [InlineData("fec0::1")]
    [InlineData("ff02::1")]
    public void SpecialAddress_IsRefused(string address) => Policy().Permits(IPAddress.Parse(address)).ShouldBeFalse();

    [Theory]
    [InlineData("8.8.8.8")]
    [InlineData("100.63.255.255")]
    [InlineData("172.15.255.255")]
    [InlineData("172.32.0.1")]
    [InlineData("192.0.1.1")]
    [InlineData("223.255.255.255")]
    [InlineData("2606:4700:4700::1111")]
    [InlineData("::ffff:8.8.8.8")]
    [InlineData("64:ff9b::8.8.8.8")]
    public void PublicAddress_IsPermitted(string address) => Policy().Permits(IPAddress.Parse(address)).ShouldBeTrue();

    [Fact]
    public void AllowedNetwork_IsPermitted_AndNothingBesideIt()
    {
        var policy = Policy("10.20.0.0/16", "fd12::/64");
        policy.Permits(IPAddress.Parse("10.20.3.4")).ShouldBeTrue();
        policy.Permits(IPAddress.Parse("::ffff:10.20.3.4")).ShouldBeTrue();
        policy.Permits(IPAddress.Parse("fd12::9")).ShouldBeTrue();
        policy.Permits(IPAddress.Parse("10.21.0.1")).ShouldBeFalse();
        policy.Permits(IPAddress.Parse("127.0.0.1")).ShouldBeFalse();
    }

    [Fact]
    public void Loopback_IsAWordForThisMachine()
    {
        var policy = Policy("Loopback");
        policy.Permits(IPAddress.Loopback).ShouldBeTrue();
        policy.Permits(IPAddress.IPv6Loopback).ShouldBeTrue();
        policy.Permits(IPAddress.Parse("10.0.0.1")).ShouldBeFalse();
    }

    [Theory]
    [InlineData("localhost", "127.0.0.1")]
    [InlineData("LocalHost", "::1")]
    [InlineData("127.0.0.1", "127.0.0.1")]
    [InlineData("127.3.2.1", "127.3.2.1")]
    [InlineData("::1", "::1")]
    [InlineData("::ffff:127.0.0.1", "::ffff:127.0.0.1")]
    public void HostThatSpellsOutThisMachine_IsPermitted_WhereTheProgramAllowsIt(string host, string address)
    {
        OfThisMachine().Permits(host, IPAddress.Parse(address)).ShouldBeTrue();
        Policy().Permits(host, IPAddress.Parse(address)).ShouldBeFalse();
    }

    [Theory]
    [InlineData("crm.example.com", "127.0.0.1")]
    [InlineData("localhost.example.com", "127.0.0.1")]
    [InlineData("crm.localhost", "::1")]
    [InlineData("localhost", "10.0.0.1")]
    [InlineData("localhost", "169.254.169.254")]
    [InlineData("10.0.0.1", "10.0.0.1")]
    [InlineData("0.0.0.0", "0.0.0.0")]
    public void NothingElse_IsThisMachine(string host, string address) => OfThisMachine().Permits(host, IPAddress.Parse(address)).ShouldBeFalse();

    [Fact]
    public async Task NameThatLeadsToThisMachine_IsRefused_WhereItsAddressIsPermitted()
    {
        var connection = new GuardedConnection(Options.Create(new ForwardOptions { AllowsThisMachine = true }), (_, _) => Task.FromResult<IPAddress[]>([IPAddress.Loopback]));

        (await connection.FindAsync("localhost", CancellationToken.None)).ShouldBe([IPAddress.Loopback]);
        (await connection.FindAsync("127.0.0.1", CancellationToken.None)).ShouldBe([IPAddress.Loopback]);
        (await Should.ThrowAsync<AddressRefusedException>(() => connection.FindAsync("crm.example.com", CancellationToken.None))).Message.ShouldContain("127.0.0.1");
    }

    [Theory]
    [InlineData("10.0.0.0")]
    [InlineData("private")]
    [InlineData("10.0.0.0/33")]
    public void AnythingElse_IsNoNetwork_AndIsNamed(string network)
    {
        AddressPolicy.TryParse(["10.0.0.0/8", network], out _, out var fault).ShouldBeFalse();
        fault.ShouldNotBeNull().ShouldStartWith($"'{network}' is not a network.");
    }

    [Fact]
    public async Task NameThatTurnsPrivateAfterACheck_IsStillRefused()
    {
        var addresses = new Queue<IPAddress>([IPAddress.Parse("93.184.216.34"), IPAddress.Parse("169.254.169.254")]);
        var connection = new GuardedConnection(NothingAllowed, (_, _) => Task.FromResult<IPAddress[]>([addresses.Dequeue()]));

        (await connection.FindAsync("crm.example.com", CancellationToken.None)).ShouldBe([IPAddress.Parse("93.184.216.34")]);
        var refused = await Should.ThrowAsync<AddressRefusedException>(() => connection.FindAsync("crm.example.com", CancellationToken.None));

        refused.Message.ShouldContain("169.254.169.254");
    }

    [Fact]
    public async Task NameWithAPublicAndAPrivateAddress_IsSentToAtThePublicOneOnly()
    {
        var connection = new GuardedConnection(
            NothingAllowed, (_, _) => Task.FromResult<IPAddress[]>([IPAddress.Parse("10.0.0.1"), IPAddress.Parse("93.184.216.34")]));

        (await connection.FindAsync("crm.example.com", CancellationToken.None)).ShouldBe([IPAddress.Parse("93.184.216.34")]);
    }

    private static IOptions<ForwardOptions> NothingAllowed => Options.Create(new ForwardOptions());

    private static AddressPolicy OfThisMachine() => AddressPolicy.TryParse([], out var policy, out var fault, allowsThisMachine: true) ? policy : throw new InvalidOperationException(fault);

    private static AddressPolicy Policy(params string[] networks) =>
        AddressPolicy.TryParse(networks, out var policy, out var fault) ? policy : throw new ArgumentException(fault, nameof(networks));
}
