using Microsoft.Azure.Functions.Worker.Builder;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using TeleCmi.Functions;
using TeleCmi.Pipeline;

var builder = FunctionsApplication.CreateBuilder(args);
builder.Services.AddTeleCmiPipeline();
builder.Services.AddTriggerSettings();
builder.Services.AddHostedService<WarmUp>();
builder.AddTelemetry();

// Your own work on each event: builder.Services.AddCallEventHandler<YourHandler>();
await builder.Build().RunAsync();
