using System.Net;
using System.Net.Security;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.DependencyInjection;
using TeleCmi.Pipeline.Forwarding;
using TeleCmi.TestSupport;

namespace TeleCmi.Forwarding.Tests;

public sealed class SafetyTests
{
    private const string Host = "crm.example.com";

    [Fact]
    public async Task NameOfAPrivateAddress_IsNotSentTo_AndKeptWithTheWayOut()
    {
        await using var crm = await CrmUnderTest.StartAsync(Ok, Certificate(Host, issuer: null));
        await using var host = await StartAsync(crm, allowedNetworks: "10.0.0.0/8");

        await host.AcceptsAsync(Forwards.Answered("call-1"));
        var letter = (await host.Storage.DeadLettersAsync(1)).ShouldHaveSingleItem();

        letter.Text("Error").ShouldBe("crm.example.com is 127.0.0.1, which is not a public address: nothing was sent. If that is meant, add its network to TeleCmi__Forward__AllowedNetworks.");
        crm.Requests.ShouldBeEmpty();
    }

    [Theory]
    [InlineData("localhost")]
    [InlineData("127.0.0.1")]
    public async Task ReceiverOnThisMachine_NeedsNoSecondSetting(string written)
    {
        await using var crm = await CrmUnderTest.StartAsync(200);
        await using var host = await ReceiverHost.StartAsync([$"--TeleCmi:Forward:0:Url=http://{written}:{crm.Address.Port}/", $"--TeleCmi:Forward:0:Secrets={Forwards.Secret}"]);

        await host.AcceptsAsync(Forwards.Answered("call-1"));

        await crm.HasAsync(1);
    }

    [Fact]
    public async Task CertificateOfNobodyWeTrust_IsRefused()
    {
        await using var crm = await CrmUnderTest.StartAsync(Ok, Certificate(Host, issuer: null));
        await using var host = await StartAsync(crm);

        await host.AcceptsAsync(Forwards.Answered("call-1"));
        var letter = (await host.Storage.DeadLettersAsync(1)).ShouldHaveSingleItem();

        letter.Text("Error")!.ShouldStartWith("The secure connection failed");
        letter.Text("Error")!.ShouldEndWith("attempt 4, the last.");
        crm.Requests.ShouldBeEmpty();
    }

    [Fact]
    public async Task TrustedCertificateOfAnotherHost_IsRefused()
    {
        using var root = Root();
        await using var crm = await CrmUnderTest.StartAsync(Ok, Certificate("other.example.com", root));
        await using var host = await StartAsync(crm, trusted: root);

        await host.AcceptsAsync(Forwards.Answered("call-1"));
        var letter = (await host.Storage.DeadLettersAsync(1)).ShouldHaveSingleItem();

        letter.Text("Error")!.ShouldStartWith("The secure connection failed");
        crm.Requests.ShouldBeEmpty();
    }

    [Fact]
    public async Task TrustedCertificateOfThisHost_IsAccepted()
    {
        using var root = Root();
        await using var crm = await CrmUnderTest.StartAsync(Ok, Certificate(Host, root));
        await using var host = await StartAsync(crm, trusted: root);

        await host.AcceptsAsync(Forwards.Answered("call-1"));

        await crm.HasAsync(1);
    }

    [Fact]
    public async Task Logs_HoldNeitherTheAddressesSecretNorTheSigningOne()
    {
        await using var crm = await CrmUnderTest.StartAsync(200, 400, 503, 200);
        await using var host = await Forwards.StartAsync(Forwards.Destination(0, "crm", new Uri(crm.Address, "/hooks/path-secret?key=query-secret")));

        for (var i = 1; i <= 3; i++)
        {
            await host.AcceptsAsync(Forwards.Answered($"call-{i}"));
            await crm.HasAsync(i);
        }

        await host.SettledAsync();
        var log = string.Join('\n', host.Log.Select(line => $"{line.Message} {line.Exception}"));
        log.ShouldContain("forwarded to crm");
        log.ShouldNotContain("path-secret");
        log.ShouldNotContain("query-secret");
        log.ShouldNotContain(Forwards.Secret["whsec_".Length..]);
        string.Join('\n', (await host.Storage.DeadLettersAsync()).SelectMany(row => row.Select(column => column.Value))).ShouldNotContain("secret");
    }

    private static Task Ok(HttpContext context, int number) => Task.CompletedTask;

    private static Task<ReceiverHost> StartAsync(CrmUnderTest crm, string allowedNetworks = "loopback", X509Certificate2? trusted = null) => Forwards.StartAsync([
            .. Forwards.Destination(0, "crm", new Uri($"https://{Host}:{crm.Address.Port}/")),
            $"--TeleCmi:Forward:AllowedNetworks={allowedNetworks}",
        ],
        configure: services =>
        {
            // The name is nobody's; here it leads to the test's own server.
            services.AddSingleton<HostLookup>((_, _) => Task.FromResult<IPAddress[]>([IPAddress.Loopback]));
            if (trusted is not null)
            {
                services.AddHttpClient(EventSender.ClientName).ConfigurePrimaryHttpMessageHandler((handler, _) => Trust((SocketsHttpHandler)handler, trusted));
            }
        });

    private static void Trust(SocketsHttpHandler handler, X509Certificate2 root) => handler.SslOptions = new SslClientAuthenticationOptions
    {
        CertificateChainPolicy = new X509ChainPolicy
        {
            TrustMode = X509ChainTrustMode.CustomRootTrust,
            CustomTrustStore = { root },
            RevocationMode = X509RevocationMode.NoCheck,
        },
    };

    private static X509Certificate2 Root()
    {
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var request = new CertificateRequest("CN=Root of this test", key, HashAlgorithmName.SHA256);
        request.CertificateExtensions.Add(new X509BasicConstraintsExtension(certificateAuthority: true, hasPathLengthConstraint: false, 0, critical: true));
        var now = TimeProvider.System.GetUtcNow();
        return request.CreateSelfSigned(now.AddHours(-1), now.AddDays(1));
    }

    private static X509Certificate2 Certificate(string host, X509Certificate2? issuer)
    {
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var request = new CertificateRequest($"CN={host}", key, HashAlgorithmName.SHA256);
        var names = new SubjectAlternativeNameBuilder();
        names.AddDnsName(host);
        request.CertificateExtensions.Add(names.Build());
        var now = TimeProvider.System.GetUtcNow();
        using var certificate = issuer is null
            ? request.CreateSelfSigned(now.AddMinutes(-5), now.AddHours(1))
            : request.Create(issuer, now.AddMinutes(-5), now.AddHours(1), [1, 2, 3]);
        using var withKey = issuer is null ? null : certificate.CopyWithPrivateKey(key);
        return X509CertificateLoader.LoadPkcs12((withKey ?? certificate).Export(X509ContentType.Pfx), password: null);
    }
}
