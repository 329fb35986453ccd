using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using TeleCmi.FaultHost;
using TeleCmi.LocalHost;

using TeleCmi.Pipeline;
using TeleCmi.Pipeline.Forwarding;

if (args is ["host", .. var hostArguments])
{
    return await LocalHostProgram.RunAsync(hostArguments, services => services
        .AddCallEventHandler<EffectHandler>()
        .AddSingleton(new RetrySchedule([.. Enumerable.Repeat(TimeSpan.FromSeconds(1), 60)])));
}

var options = new ConfigurationBuilder().AddCommandLine(args).Build().Get<FaultRunOptions>() ?? new FaultRunOptions();
var report = await new FaultRun(options, Console.WriteLine).RunAsync();
Console.WriteLine(report.ToTable());
return report.Faults.Count == 0 ? 0 : 1;
