using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.Hosting;
using TeleCmi.FaultHost;
using TeleCmi.LocalHost;
using TeleCmi.Pipeline;

if (args is ["host", .. var hostArguments])
{
    var builder = LocalHostApp.CreateBuilder(hostArguments);
    builder.Services.AddCallEventHandler<EffectHandler>();
    await using var app = LocalHostApp.Build(builder);
    await app.StartAsync();
    Console.WriteLine($"Webhook: {app.Urls.First()}/api/telecmi/events");
    await app.WaitForShutdownAsync();
    return 0;
}

var options = new ConfigurationBuilder().AddCommandLine(args).Build().Get<FaultRunOptions>() ?? new FaultRunOptions();
var report = await new FaultRun(options, Console.WriteLine).RunAsync();
Console.WriteLine(report.ToTable());
return report.Faults.Count == 0 ? 0 : 1;
